import type { Lease, Store } from '../core/store.ts';
import type { System } from '../core/system.ts';
import { bury } from './bury.ts';
import type { StreamModel } from './model.ts';
import type { Notifier } from './notifications.ts';
import type { Subscription } from './subscription.ts';
import { findSuspects } from './suspects.ts';
import type { Transact } from './transact.ts';

interface Context<State> {
  readonly store: Store;
  readonly system: System;
  readonly transact: Transact<State>;
  readonly model: StreamModel<State> | undefined;
  readonly notifier: Notifier;
}

/**
 * Writes down what the last owner may have started before anything of this lease runs. Resolves with the positions that are parked deliveries
 * from now on, or with null if the lease is no longer ours.
 */
export type TakeOver = (lease: Lease, subscription: Subscription) => Promise<readonly number[] | null>;

export const createTakeover =
  <State>({ store, system, transact, model, notifier }: Context<State>): TakeOver =>
  async (lease, subscription) => {
    const { done, park, dead } = await findSuspects(store, system, lease, subscription);
    const ref = { subscription: lease.subscription, shard: lease.shard, epoch: lease.epoch };
    if (park.length > 0 || done.length > 0) {
      const { kind } = await transact({ stream: '', lease: ref, done, park, persistent: true });
      if (kind !== 'won') return null;
    }
    for (const { record, verdict } of dead) {
      const { id, stream, type, attempts } = verdict.record;
      const write = { record: verdict.record, expect: record.revision, failed: true };
      const { kind } = await bury(model, verdict.record, (decide) =>
        transact<unknown>({ stream, lease: ref, park: [write], persistent: true, ...decide }),
      );
      if (kind !== 'won') return null;
      const facts = { id, subscription: subscription.name, stream, type, attempt: attempts, generation: record.generation };
      notifier.emit('dead', { ...facts, rule: verdict.rule, error: verdict.facts });
    }
    for (const { record } of park) {
      const { id, stream, type, attempts, generation, lostStarts } = record;
      notifier.emit('lostStart', { id, subscription: subscription.name, stream, type, attempt: attempts + 1, generation, lostStarts });
    }
    return done;
  };
