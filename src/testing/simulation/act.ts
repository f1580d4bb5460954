import { isOrderfoldError } from '../../core/errors.ts';
import { seeded } from '../../core/seeded.ts';
import type { DeadLetterStore } from '../../runtime/dead-letters/dead-letter-store.ts';
import type { WorkerOptions } from '../../runtime/event-bus.ts';
import type { VirtualSystem } from '../virtual-system.ts';
import type { Broker } from './broker.ts';
import type { Clients } from './clients.ts';
import type { Cluster } from './cluster.ts';
import { type Member, startWorker } from './members.ts';
import type { Action } from './plan.ts';

/** Says what happened; the text is made only where somebody reads it. */
export type Tell = (kind: string, text: () => string) => void;
/** Says what breaks which invariant. */
export type Wrong = (invariant: string, text: string, orderId?: string) => void;

/** Who asks for what an operator asks for. */
export const OPERATOR = { by: 'simulation', reason: 'an operator of the simulated run' } as const;

/** What actions are done to. */
export interface Scene {
  readonly system: VirtualSystem;
  readonly cluster: Cluster;
  readonly broker: Broker | null;
  readonly clients: Clients;
  /** API processes first; those that died are replaced in place. */
  readonly members: readonly Member[];
  readonly apis: number;
  readonly worker: WorkerOptions;
  readonly order: (random: () => number) => unknown;
  /** Counts a fault that strikes. */
  readonly strike: Tell;
  readonly tell: Tell;
  readonly wrong: Wrong;
}

/** Does the actions of a plan, one by one. What is asked of a process is not waited for: it may die before it answers. */
export const createActor = ({ system, cluster, broker, clients, members, apis, worker, order, strike, tell, wrong }: Scene) => {
  let placed = 0;
  const member = (who: number): Member => members[who % members.length] as Member;

  const quietly = (asked: Promise<unknown>, what: string): void => {
    asked.then(
      () => tell('done', () => what),
      (error: unknown) => {
        if (!isOrderfoldError(error)) wrong('R26', `${what} threw ${String(error)}`);
        tell('failed', () => `${what}: ${String(error)}`);
      },
    );
  };

  const place = ({ order: seed, fates, times }: Extract<Action, { readonly do: 'place' }>): void => {
    const index = placed;
    placed += 1;
    tell('action', () => `place order ${index}, made from ${seed}; meets ${JSON.stringify(fates)}`);
    const input = order(seeded(seed));
    for (let time = 0; time < times; time += 1) clients.place(index, input);
    if (times > 1) strike('repeat', () => `order ${index} is asked for ${times} times`);
  };

  const ask = (what: 'cancel' | 'look' | 'pauseOrder' | 'resumeOrder', orderId: string, by: number): void => {
    const { orders } = members[by % apis] as Member;
    if (what === 'cancel') quietly(orders.cancel(orderId, { reason: 'changed my mind' }), `cancel ${orderId}`);
    if (what === 'pauseOrder') quietly(orders.pause({ orderId }, OPERATOR), `pause ${orderId}`);
    if (what === 'resumeOrder') quietly(orders.resume({ orderId }, OPERATOR), `resume ${orderId}`);
    if (what === 'look') quietly(Promise.all([orders.get(orderId), orders.timeline(orderId), orders.list()]), `look at ${orderId}`);
  };

  const operate = async (what: 'redrive' | 'discard' | 'edit', deadLetters: DeadLetterStore): Promise<void> => {
    if (what !== 'edit') return void (await deadLetters[what]({ filter: {} }, OPERATOR));
    for (const { id } of (await deadLetters.list()).deadLetters) {
      const letter = await deadLetters.get(id);
      if (letter !== null) await deadLetters.edit(id, { data: letter.envelope.data }, OPERATOR);
    }
  };

  const restart = (who: number, graceMs: number): void => {
    const one = member(who);
    if (who % members.length < apis) return;
    strike('stop', () => one.process.name);
    const again = one.orders.worker().stop({ graceMs });
    quietly(
      again.then(() => startWorker(one, worker)),
      `stop ${one.process.name}`,
    );
  };

  return (action: Action): void => {
    if (action.do !== 'place') tell('action', () => JSON.stringify(action));
    switch (action.do) {
      case 'place':
        place(action);
        break;
      case 'cancel':
      case 'look':
      case 'pauseOrder':
      case 'resumeOrder': {
        const orderId = placed === 0 ? undefined : clients.orderIdOf(action.order % placed);
        if (orderId !== undefined) ask(action.do, orderId, action.by);
        break;
      }
      case 'cancelLater': {
        const orderId = placed === 0 ? undefined : clients.orderIdOf(action.order % placed);
        if (orderId === undefined) break;
        const { orders } = members[action.by % apis] as Member;
        quietly(
          orders.schedule({ cancel: orderId, reason: 'a gift that came too late' }, { delayMs: action.inMs }),
          `cancel ${orderId} later`,
        );
        break;
      }
      case 'redrive':
      case 'discard':
      case 'edit':
        for (let time = 0; time < action.times; time += 1)
          quietly(operate(action.do, member(action.by + time).orders.deadLetters), action.do);
        break;
      case 'crash':
        member(action.who).process.crash(action.arrive);
        break;
      case 'stall':
        strike('stall', () => `${member(action.who).process.name} for ${action.forMs} ms`);
        member(action.who).process.stall(action.forMs);
        break;
      case 'cutOff':
        member(action.who).process.cutOff(action.forMs);
        break;
      case 'stop':
        restart(action.who, action.graceMs);
        break;
      case 'storeClock':
        strike('clock', () => `the store's, by ${action.byMs} ms`);
        system.stepWallClock(action.byMs);
        break;
      case 'wallClock':
        strike('clock', () => `${member(action.who).process.name}'s, by ${action.byMs} ms`);
        member(action.who).process.stepWallClock(action.byMs);
        break;
      case 'away':
        cluster.away(action.forMs, action.when);
        break;
      case 'brokerAway':
        if (broker === null) break;
        strike('broker away', () => `for ${action.forMs} ms`);
        broker.away(action.forMs);
    }
  };
};
