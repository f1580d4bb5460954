import { isOrderfoldError } from '../../core/errors.ts';
import { seeded } from '../../core/seeded.ts';
import type { AnyOrderSaga } from '../../order/saga.ts';
import { createMemoryStore } from '../../stores/memory/memory-store.ts';
import type { RecordedRun, Violation } from '../recorded-run.ts';
import { virtualSystem } from '../virtual-system.ts';
import { clientKey, createClients } from './clients.ts';
import { createJudge } from './judge.ts';
import { beginMember, type Member, startWorker } from './members.ts';
import { createOutside, type Outside, SECRETS } from './outside.ts';
import type { Action, Fates, SimulationPlan } from './plan.ts';
import { createCluster } from './process.ts';
import { createWitness } from './witness.ts';

/** What is simulated: the user's code, and how their orders look. */
export interface Game<Services extends object> {
  readonly services: (outside: Outside) => Services;
  readonly saga: (services: Services) => AnyOrderSaga;
  readonly setUp: ((orders: never, services: Services) => void) | undefined;
  readonly order: (random: () => number) => unknown;
  /** Judges the run when it is quiet, and again when it is settled. */
  readonly audit: (run: RecordedRun) => readonly Violation[];
}

export interface Played {
  readonly violations: readonly Violation[];
  /** What went wrong on purpose, and how often. */
  readonly struck: Readonly<Record<string, number>>;
  /** One line per thing that happened; empty unless asked for. The same plan gives the same, byte for byte. */
  readonly trace: readonly string[];
  readonly run: RecordedRun;
  /** By status, how many orders ended so. */
  readonly ends: Readonly<Record<string, number>>;
}

const RESTART_MS = 200;
/** Virtual time after the last action; a policy may wait long, and thirty attempts of a minute are no reason to worry. */
const PATIENCE_MS = 6 * 3_600_000;
const BY = { by: 'simulation', reason: 'an operator of the simulated run' } as const;

/**
 * Plays a plan to its quiet end, lifts every fault, redrives what is dead and discards what dies again, until everything is
 * settled and closed. The engine, the saga and the store's logic are the real ones; the clock, the network, the processes and the outside
 * are not.
 */
export const play = async <Services extends object>(game: Game<Services>, plan: SimulationPlan, traced = false): Promise<Played> => {
  const system = virtualSystem({ seed: plan.seed, ties: 'seeded' });
  const base = createMemoryStore(system, plan.shards);
  const witness = createWitness(base, system);
  const cluster = createCluster(system, witness.store);
  const violations: Violation[] = [];
  const trace: string[] = [];
  const struck: Record<string, number> = {};

  const tell = (kind: string, text: () => string): void => {
    if (traced) trace.push(`${system.monotonic().toFixed(1).padStart(9)} ${kind.padEnd(11)} ${text()}`);
  };
  const strike = (kind: string, text: () => string): void => {
    struck[kind] = (struck[kind] ?? 0) + 1;
    tell(kind, text);
  };
  const wrong = (invariant: string, text: string, orderId?: string): void => {
    tell('VIOLATION', () => `${invariant} ${text}`);
    violations.push({ invariant, text, ...(orderId !== undefined && { orderId }) });
  };

  const places = plan.actions.filter((action) => action.do === 'place').sort((a, b) => a.at - b.at);
  const fates = places.map((place) => place.fates);
  const fatesById = new Map<string, Fates>();
  const fatesOf = (orderId: string): Fates => {
    const known = fatesById.get(orderId);
    if (known !== undefined) return known;
    const index = fates.findIndex((_, at) => witness.streamOf(clientKey(at)) === orderId);
    const found = fates[index] ?? {};
    fatesById.set(orderId, found);
    return found;
  };
  const outside = createOutside(system, plan.seed, fatesOf, (kind, text) => (kind === 'effect' ? tell : strike)(kind, text));
  const judge = createJudge(system, witness, wrong);
  witness.gained(judge.leaseChanged);
  const services = game.services(outside.outside);
  const worker = { leaseMs: plan.leaseMs, concurrency: plan.concurrency };

  const members: Member[] = [];
  const begin = (index: number, life: number, calls: Map<string, number>): void => {
    const isApi = index < plan.apis;
    const name = `${isApi ? `api${index}` : `worker${index - plan.apis}`}.${life}`;
    const process = cluster.process(name, {
      faults: plan.storeFaults[index] ?? [],
      latencyMs: plan.latencyMs,
      hints: plan.hints,
      calls,
      struck: (member, how) => strike(`store ${how}`, () => `${member} of ${name}`),
      died() {
        strike('crash', () => name);
        system.setTimer(RESTART_MS, () => begin(index, life + 1, calls));
      },
    });
    members[index] = beginMember(
      process,
      { services, saga: game.saga, setUp: game.setUp, worker: isApi ? null : worker },
      { witness, judge, outside, tell },
    );
  };
  for (let index = 0; index < plan.apis + plan.workers; index += 1) begin(index, 1, new Map());
  const member = (who: number): Member => members[who % members.length] as Member;
  const api = (by: number): Member => members[by % plan.apis] as Member;
  const apis = new Proxy(members, { get: (target, key) => (key === 'length' ? plan.apis : Reflect.get(target, key)) });
  const clients = createClients(system, witness, apis, wrong, tell);

  const quietly = (asked: Promise<unknown>, what: string): void =>
    void asked.then(
      () => tell('done', () => what),
      (error: unknown) => {
        if (!isOrderfoldError(error)) wrong('R26', `${what} threw ${String(error)}`);
        tell('failed', () => `${what}: ${String(error)}`);
      },
    );

  let placed = 0;
  const act = (action: Action): void => {
    if (action.do !== 'place') tell('action', () => JSON.stringify(action));
    switch (action.do) {
      case 'place': {
        const index = placed;
        placed += 1;
        tell('action', () => `place order ${index}, made from ${action.order}; meets ${JSON.stringify(action.fates)}`);
        const input = game.order(seeded(action.order));
        for (let time = 0; time < action.times; time += 1) clients.place(index, input);
        if (action.times > 1) strike('repeat', () => `order ${index} is asked for ${action.times} times`);
        return;
      }
      case 'cancel':
      case 'look':
      case 'pauseOrder':
      case 'resumeOrder': {
        const orderId = placed === 0 ? undefined : clients.orderIdOf(action.order % placed);
        if (orderId === undefined) return;
        const { orders } = api(action.by);
        if (action.do === 'cancel') return quietly(orders.cancel(orderId, { reason: 'changed my mind' }), `cancel ${orderId}`);
        if (action.do === 'pauseOrder') return quietly(orders.pause({ orderId }, BY), `pause ${orderId}`);
        if (action.do === 'resumeOrder') return quietly(orders.resume({ orderId }, BY), `resume ${orderId}`);
        return quietly(Promise.all([orders.get(orderId), orders.timeline(orderId), orders.list()]), `look at ${orderId}`);
      }
      case 'redrive':
      case 'discard':
        for (let time = 0; time < action.times; time += 1)
          quietly(member(action.by + time).orders.deadLetters[action.do]({ filter: {} }, BY), action.do);
        return;
      case 'crash':
        return member(action.who).process.crash(action.arrive);
      case 'stall':
        strike('stall', () => `${member(action.who).process.name} for ${action.forMs} ms`);
        return member(action.who).process.stall(action.forMs);
      case 'cutOff':
        return member(action.who).process.cutOff(action.forMs);
      case 'stop': {
        const one = member(action.who);
        if (action.who % members.length < plan.apis) return;
        strike('stop', () => one.process.name);
        return quietly(
          one.orders
            .worker()
            .stop({ graceMs: action.graceMs })
            .then(() => startWorker(one, worker)),
          `stop ${one.process.name}`,
        );
      }
      case 'storeClock':
        strike('clock', () => `the store's, by ${action.byMs} ms`);
        return system.stepWallClock(action.byMs);
      case 'wallClock':
        strike('clock', () => `${member(action.who).process.name}'s, by ${action.byMs} ms`);
        return member(action.who).process.stepWallClock(action.byMs);
      case 'away':
        return cluster.away(action.forMs, action.when);
    }
  };

  const resumeAll = async (): Promise<void> => {
    for (const pause of await base.pauses()) {
      const target = pause.of === 'stream' ? { orderId: pause.name } : { subscription: pause.name };
      await system
        .run(
          api(0)
            .orders.resume(target, BY)
            .catch(() => {}),
          60_000,
        )
        .catch(() => {});
    }
  };
  const isOver = (): boolean => clients.answered && members.every(({ process }) => process.alive) && judge.isQuiet();
  /** Whether it came to rest. */
  const untilQuiet = async (what: string): Promise<boolean> => {
    const untilMs = system.monotonic() + PATIENCE_MS;
    await resumeAll();
    for (let stepMs = 20; system.monotonic() < untilMs; stepMs = Math.min(stepMs * 1.5, 30_000)) {
      await system.advance(stepMs);
      if (isOver()) return true;
      if (stepMs > 5000) await resumeAll();
    }
    const waiting = [...witness.parked.values()].filter(({ state, kind }) => state === 'scheduled' && kind === 'delivery');
    wrong('S17', `not quiet ${PATIENCE_MS / 3_600_000} h ${what}; scheduled: ${waiting.map(({ id }) => id).join(' ') || 'nothing'}`);
    return false;
  };
  const recorded = (stage: RecordedRun['stage']): RecordedRun => ({
    streams: witness.events,
    parked: [...witness.parked.values()],
    effects: outside.effects,
    stage,
  });
  const judged = (stage: RecordedRun['stage']): RecordedRun => {
    const run = recorded(stage);
    for (const { invariant, text, orderId } of game.audit(run)) wrong(invariant, text, orderId);
    for (const { id, detail, stream } of run.parked)
      if (detail.includes(SECRETS.password) || detail.includes(SECRETS.card)) wrong('R24', `${id} keeps a secret`, stream);
    return run;
  };

  for (const action of [...plan.actions].sort((a, b) => a.at - b.at)) {
    if (action.at > system.monotonic()) await system.advance(action.at - system.monotonic());
    act(action);
  }
  const rested = await untilQuiet('after the last action');
  let run = judged(rested ? 'quiet' : 'running');

  outside.heal();
  cluster.heal();
  if (rested && violations.length === 0) {
    const isDead = (): boolean => [...witness.parked.values()].some(({ state }) => state === 'dead');
    for (let round = 0; isDead() && round < 8 && violations.length === 0; round += 1) {
      const how = round < 5 ? 'redrive' : 'discard';
      await system.run(api(0).orders.deadLetters[how]({ filter: {} }, BY));
      await untilQuiet(`after the last ${how}`);
    }
    judge.finish();
    run = judged('settled');
    clients.stop();
    for (const { orders } of members) await system.run(orders.close());
    await system.advance(60_000);
    for (const { process } of members)
      if (process.timers > 0) wrong('R25', `${process.name} left ${process.timers} timers when it was closed`);
    for (const [shard, { owner }] of witness.owners())
      if (members.some(({ process }) => owner.startsWith(`${process.name}-`)))
        wrong('R25', `${owner} kept the lease of ${shard} when it was closed`);
  }
  for (const fault of witness.faults) wrong('R12', fault);
  const ends = (await base.counts()).streams;
  return { violations, struck, trace, run, ends };
};
