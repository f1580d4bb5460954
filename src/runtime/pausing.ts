import { OrderfoldError } from '../core/errors.ts';
import { optional, resolveOptions, text } from '../core/options.ts';
import type { PauseTarget } from '../core/records.ts';
import type { Counts, Store } from '../core/store.ts';
import { type Audit, auditOf } from './dead-letters/audit.ts';
import type { Notifier } from './notifications.ts';
import { storedName } from './stored-name.ts';
import type { Transact } from './transact.ts';

/** What can be told to wait on a bus: a subscription, or everything of one stream. */
export type BusTarget = { readonly subscription: string } | { readonly stream: string };

/** What can be told to wait among orders: a step or a subscription of one's own, or everything of one order. */
export type OrderTarget = { readonly subscription: string } | { readonly orderId: string };

/** Something that waits, since `at` (ISO 8601, UTC). */
export type Paused<Target> = Target & Audit & { readonly at: string };

/**
 * What operators tell to wait. Durable when it resolves, over restarts too, and may be asked from any process; asked twice or at once is the
 * same as once. Faults are thrown: `CONFIG` for a missing `by` or `reason` and for what does not exist, `STORE`, `BUSY`, `CLOSED`.
 */
export interface Pausing<Target> {
  /**
   * No delivery of it starts any more: in this process from then on, in others once they hear of it, which takes a third of their lease at
   * most. What runs already goes on to its outcome. Nothing is lost, and no attempt is spent. Commands are taken all the same, a
   * cancel too, and timers go on: a deadline, and whatever was scheduled.
   */
  pause(target: Target, audit: Audit): Promise<void>;
  /** What waited goes on in its order. */
  resume(target: Target, audit: Audit): Promise<void>;
  /** What waits now, the longest first. */
  paused(): Promise<readonly Paused<Target>[]>;
}

interface Context<State> {
  readonly store: Store;
  readonly notifier: Notifier;
  readonly transact: Transact<State>;
  readonly opened: () => Promise<void>;
  readonly counts: () => Promise<Counts>;
  /** Resolves once this process heeds what has changed. */
  readonly heeded: () => Promise<void>;
}

const oneOfThem = (where: string, given: object, stream: 'stream' | 'orderId'): PauseTarget => {
  const target = resolveOptions(where, given, { subscription: optional(text()), [stream]: optional(text()) });
  const { subscription, [stream]: name } = target as Partial<Record<string, string>>;
  if ((subscription === undefined) === (name === undefined))
    throw new OrderfoldError('CONFIG', `${where}: expected either subscription or ${stream}`);
  return subscription === undefined ? { of: 'stream', name: storedName(stream, name) } : { of: 'subscription', name: subscription };
};

/** @see Pausing */
export const createPausing = <State>({ store, notifier, transact, opened, counts, heeded }: Context<State>): Pausing<BusTarget> => {
  const change = async (how: 'pause' | 'resume', given: BusTarget, audit: Audit): Promise<void> => {
    const where = `EventBus.${how}`;
    const target = oneOfThem(where, given, 'stream');
    const { by, reason } = auditOf(where, audit);
    await opened();
    // A slip of the pen would let go on what was to wait. A stream, though, may be there tomorrow.
    if (how === 'pause' && target.of === 'subscription' && !Object.hasOwn((await counts()).subscriptions, target.name))
      throw new OrderfoldError('CONFIG', `${where}: there is no subscription ${JSON.stringify(target.name)}`);
    await transact({ stream: '', [how]: [{ ...target, by, reason }], persistent: false });
    await heeded();
    notifier.emit(`${how}d`, { ...target, by, reason });
  };

  return {
    pause: (target, audit) => change('pause', target, audit),
    resume: (target, audit) => change('resume', target, audit),
    async paused() {
      await opened();
      return (await store.pauses()).map(({ of, name, by, reason, at }) => {
        const target = of === 'subscription' ? { subscription: name } : { stream: name };
        return { ...target, by, reason, at: new Date(at).toISOString() };
      });
    },
  };
};

/** The same among orders. @param exists whether there is such an order. */
export const pausingOrders = (bus: Pausing<BusTarget>, exists: (orderId: string) => Promise<boolean>): Pausing<OrderTarget> => {
  const asBusTarget = (where: string, given: OrderTarget): BusTarget => {
    const { of, name } = oneOfThem(where, given, 'orderId');
    return of === 'subscription' ? { subscription: name } : { stream: name };
  };

  return {
    async pause(given, audit) {
      const target = asBusTarget('pause', given);
      if ('stream' in target && !(await exists(target.stream))) throw new OrderfoldError('CONFIG', `there is no order ${target.stream}`);
      await bus.pause(target, audit);
    },
    resume: async (given, audit) => bus.resume(asBusTarget('resume', given), audit),
    paused: async () =>
      (await bus.paused()).map((paused) => {
        if (!('stream' in paused)) return paused;
        const { stream: orderId, ...rest } = paused;
        return { orderId, ...rest };
      }),
  };
};
