import type { AnyOrderSaga } from '../../order/saga.ts';
import { createMemoryStore } from '../../stores/memory/memory-store.ts';
import type { RecordedRun, Violation } from '../recorded-run.ts';
import { virtualSystem } from '../virtual-system.ts';
import { createActor, OPERATOR, type Tell, type Wrong } from './act.ts';
import { createBroker } from './broker.ts';
import { clientKey, createClients } from './clients.ts';
import { createCluster } from './cluster.ts';
import { createJudge } from './judge.ts';
import { beginMember, type Member } from './members.ts';
import { createOutside, type Outside, SECRETS } from './outside.ts';
import type { Fates, SimulationPlan } from './plan.ts';
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
  /** Why the first order that was refused was. */
  readonly refused: string | undefined;
  /** Dead letters that died again and again with every fault lifted, and were discarded. */
  readonly discarded: number;
}

const RESTART_MS = 200;
const HINT_MS = 10;
const SWEEP_MS = 2000;
/** Nothing more is going to happen once nothing was written for so long, and nothing is due later: many times any lease. */
const STILL_MS = 120_000;
/** What keeps on writing without coming to rest; a policy may wait long, and thirty attempts of a minute are no reason to worry. */
const PATIENCE_MS = 6 * 3_600_000;
/** After the last call that was still to fail, every process asks its store again within a second. */
const HEALING_MS = 1500;
/** Letters are redriven so often before those that die every time are discarded. */
const REDRIVES = 5;
const DISCARDS = 3;

/**
 * Plays a plan to its quiet end, lifts every fault, redrives what is dead and discards what dies again, until everything is
 * settled and closed. The engine, the saga and the store's logic are the real ones; the clock, the network, the processes and the outside
 * are not.
 */
export const play = async <Services extends object>(game: Game<Services>, plan: SimulationPlan, traced = false): Promise<Played> => {
  const system = virtualSystem({ seed: plan.seed, ties: 'seeded' });
  const base = createMemoryStore(system, plan.shards);
  const witness = createWitness(base, system);
  const cluster = createCluster(system, witness.store, { hintMs: HINT_MS });
  const violations: Violation[] = [];
  const trace: string[] = [];
  const struck: Record<string, number> = {};

  const tell: Tell = (kind, text) => {
    if (traced) trace.push(`${system.monotonic().toFixed(1).padStart(9)} ${kind.padEnd(11)} ${text()}`);
  };
  const strike: Tell = (kind, text) => {
    struck[kind] = (struck[kind] ?? 0) + 1;
    tell(kind, text);
  };
  const wrong: Wrong = (invariant, text, orderId) => {
    tell('VIOLATION', () => `${invariant} ${text}`);
    violations.push({ invariant, text, ...(orderId !== undefined && { orderId }) });
  };

  const actions = [...plan.actions].sort((a, b) => a.at - b.at);
  const clockWasSet = actions.some((action) => action.do === 'storeClock' || action.do === 'wallClock');
  const fates = actions.flatMap((action) => (action.do === 'place' ? [action.fates] : []));
  const known = new Map<string, Fates>();
  const fatesOf = (orderId: string): Fates => {
    const found = known.get(orderId) ?? fates.find((_, index) => witness.streamOf(clientKey(index)) === orderId) ?? {};
    known.set(orderId, found);
    return found;
  };
  const outside = createOutside(system, plan.seed, fatesOf, { tell, strike });
  const judge = createJudge(system, witness, wrong);
  witness.gained(judge.leaseChanged);
  const services = game.services(outside.outside);
  const worker = { leaseMs: plan.leaseMs, concurrency: plan.concurrency, sweepMs: SWEEP_MS };
  const broker = plan.broker === undefined ? null : createBroker(system, plan.broker, plan.latencyMs, { strike, wrong });

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
        connection?.cut();
        strike('crash', () => name);
        system.setTimer(RESTART_MS, () => begin(index, life + 1, calls));
      },
    });
    const connection = broker?.connect(process);
    const application = { services, saga: game.saga, setUp: game.setUp, worker: isApi ? null : worker, transport: connection?.transport };
    members[index] = beginMember(process, application, { witness, judge, outside, tell });
  };
  for (let index = 0; index < plan.apis + plan.workers; index += 1) begin(index, 1, new Map());
  const api = (by: number): Member => members[by % plan.apis] as Member;
  const clients = createClients(system, witness, api, wrong, tell);
  const act = createActor({ system, cluster, broker, clients, members, apis: plan.apis, worker, order: game.order, strike, tell, wrong });

  const resumeAll = async (): Promise<void> => {
    for (const { of, name } of await base.pauses()) {
      const asked = api(0).orders.resume(of === 'stream' ? { orderId: name } : { subscription: name }, OPERATOR);
      // The process may be dead, or the store away: it is asked again later.
      await system.run(asked, 60_000).catch(() => {});
    }
  };
  const isOver = (): boolean =>
    clients.answered &&
    members.every(({ process }) => process.alive && !process.stalled) &&
    judge.isQuiet() &&
    (broker?.hasAll(witness.written) ?? true);
  /** No delivery waits for a time that is still to come, and nothing has moved for long. */
  const isStuck = (): boolean =>
    system.monotonic() - witness.changedAt > STILL_MS &&
    [...witness.parked.values()].every(({ kind, state, dueAt }) => kind === 'timer' || state !== 'scheduled' || dueAt <= system.now());
  /** Whether it came to rest. */
  const untilQuiet = async (what: string): Promise<boolean> => {
    const untilMs = system.monotonic() + PATIENCE_MS;
    await resumeAll();
    for (let stepMs = 20; system.monotonic() < untilMs; stepMs = Math.min(stepMs * 1.5, 30_000)) {
      await system.advance(stepMs);
      if (isOver()) return true;
      if (stepMs > 5000) await resumeAll();
      // Whoever was to resume what is paused may have died over it.
      if (isStuck() && (await base.pauses()).length === 0) break;
    }
    const waiting = [...witness.parked.values()].filter(({ state, kind }) => state === 'scheduled' && kind === 'delivery');
    wrong('S17', `does not come to rest ${what}; scheduled: ${waiting.map(({ id }) => id).join(' ') || 'nothing'}`);
    return false;
  };

  const judged = async (stage: RecordedRun['stage']): Promise<RecordedRun> => {
    const kept = await Promise.all([...witness.parked.keys()].map((id) => base.parked(id)));
    const parked = kept.flatMap((found) => (found === null ? [] : [found.parked]));
    const run: RecordedRun = { streams: new Map(witness.events), parked, effects: [...outside.effects], stage, clockWasSet };
    for (const { invariant, text, orderId } of game.audit(run)) wrong(invariant, text, orderId);
    for (const record of parked) {
      const text = JSON.stringify(record);
      if (Object.values(SECRETS).some((secret) => text.includes(secret))) wrong('R24', `${record.id} keeps a secret`, record.stream);
    }
    for (const [stream, [first]] of witness.events)
      if (stage !== 'running' && first?.type === 'OrderPlaced' && !clients.know(stream)) wrong('S25', 'nobody was told of it', stream);
    return run;
  };

  const isDead = (): boolean => [...witness.parked.values()].some(({ state }) => state === 'dead');
  let discarded = 0;
  const settle = async (): Promise<RecordedRun> => {
    for (let round = 0; isDead() && round < REDRIVES + DISCARDS && violations.length === 0; round += 1) {
      const how = round < REDRIVES ? 'redrive' : 'discard';
      if (how === 'discard') discarded += [...witness.parked.values()].filter(({ state }) => state === 'dead').length;
      const asked = api(0).orders.deadLetters[how]({ filter: {} }, OPERATOR);
      await system.run(asked).catch((error: unknown) => wrong('R28', `with every fault lifted, ${how} threw ${String(error)}`));
      await untilQuiet(`after the last ${how}`);
    }
    judge.finish();
    return judged('settled');
  };

  const close = async (): Promise<void> => {
    clients.stop();
    for (const { orders } of members) await system.run(orders.close());
    // Calls that everybody has given up on may still arrive.
    await system.advance(60_000);
    for (const { process } of members) {
      if (process.timers > 0) wrong('R25', `${process.name} left ${process.timers} timers when it was closed`);
      for (const [lease, { owner }] of witness.owners())
        if (owner.startsWith(`${process.name}-`)) wrong('R25', `${process.name} kept the lease of ${lease} when it was closed`);
    }
  };

  for (const action of actions) {
    if (action.at > system.monotonic()) await system.advance(action.at - system.monotonic());
    act(action);
  }
  const rested = await untilQuiet('after the last action');
  // Where nothing is dead it is settled already, and judged as that.
  let run = rested && !isDead() ? null : await judged(rested ? 'quiet' : 'running');
  outside.heal();
  cluster.heal();
  broker?.heal();
  while (members.some(({ process }) => process.ailing || process.stalled)) await system.advance(1000);
  if (Object.keys(struck).some((kind) => kind.startsWith('store '))) await system.advance(HEALING_MS);
  // What was asked long ago may have come through only now.
  if (rested) await untilQuiet('with every fault lifted');
  if (violations.length === 0 || run === null) run = await settle();
  if (violations.length === 0) await close();
  for (const { invariant, text } of witness.faults) wrong(invariant, text);
  return { violations, struck, trace, run, ends: (await base.counts()).streams, refused: clients.refused, discarded };
};
