import { isOrderfoldError } from '../../src/core/errors.ts';
import { permanent } from '../../src/core/permanent.ts';
import { createEventBus } from '../../src/runtime/create-event-bus.ts';
import type { EventBus } from '../../src/runtime/event-bus.ts';
import type { Delivery } from '../../src/runtime/subscription.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { audit } from '../../src/testing/audit.ts';
import { recordRun } from '../../src/testing/record-run.ts';
import { createBroker } from '../../src/testing/simulation/broker.ts';
import { createCluster } from '../../src/testing/simulation/cluster.ts';
import type { Process } from '../../src/testing/simulation/process.ts';
import { createWitness, type Witness } from '../../src/testing/simulation/witness.ts';
import { type VirtualSystem, virtualSystem } from '../../src/testing/virtual-system.ts';
import { createJudge, LEASE_MS, NAMES, PACES, type Run, SUBSCRIPTIONS, TIMEOUT_MS, wants } from './bus-judge.ts';
import { createWorldPauses } from './bus-pauses.ts';
import type { Action, Behaviour, Scenario, SubscriptionName } from './bus-scenarios.ts';
import { miscounts, projectPlayed } from './bus-view.ts';

type Events = { Did: { readonly script: Readonly<Record<string, readonly Behaviour[]>> }; Noted: { readonly by: string } };

export interface World {
  readonly system: VirtualSystem;
  readonly witness: Witness;
  readonly runs: readonly Run[];
  /** Everything that broke an invariant, in words. */
  readonly faults: readonly string[];
  /** Crashes, stalls, outages and store faults that really struck. */
  readonly struck: number;
  /** One line per start and end, for the same seed the same. */
  readonly trace: readonly string[];
}

interface Member {
  process: Process;
  bus: EventBus<Events>;
  lives: number;
}

const HEAL_MS = 60_000;

/** Plays a scenario to its quiet end, heals the world, redrives what is dead, and tells everything that was wrong. */
export const playBus = async (scenario: Scenario): Promise<World> => {
  const system = virtualSystem({ seed: scenario.seed });
  const witness = createWitness(createMemoryStore(system, scenario.shards), system);
  const cluster = createCluster(system, witness.store);
  const runs: Run[] = [];
  const faults: string[] = [];
  const trace: string[] = [];
  const starts = new Map<string, number>();
  const promised = new Set<string>();
  let healed = false;
  let struck = 0;
  const wrong = (what: string): void => void faults.push(`${system.monotonic()} ms: ${what}`);
  const tell = (line: string): void => void trace.push(`${system.monotonic()} ${line}`);

  const strike = (kind: string, text: () => string): void => {
    struck += 1;
    tell(`${kind} ${text()}`);
  };
  const broker =
    scenario.broker === undefined
      ? null
      : createBroker(system, scenario.broker, scenario.latencyMs, { strike, wrong: (invariant, text) => wrong(`${invariant} ${text}`) });

  const { judgeStart, judgeEnd, shardOf } = createJudge(system, witness, runs, wrong);
  const pauses = createWorldPauses(witness, tell);

  type Played = Pick<Delivery, 'id' | 'stream' | 'version' | 'data' | 'attempt' | 'generation'>;
  const handle = (process: Process, subscription: SubscriptionName) => (delivery: Played, startedAt?: number) =>
    process.inside(async () => {
      const { id: event, stream, version, attempt, generation, data } = delivery;
      const started = starts.get(`${subscription}:${event}`) ?? 0;
      starts.set(`${subscription}:${event}`, started + 1);
      const script = (data as Partial<Events['Did']>).script?.[subscription] ?? [];
      const scripted = script.at(-1) === 'never' ? (script[started] ?? 'never') : (script[started] ?? 'ok');
      const behaviour = healed ? 'ok' : scripted;
      const lease = witness.ownerOf(subscription, shardOf({ stream }));
      const run: Run = {
        subscription,
        event,
        stream,
        version,
        attempt,
        generation,
        process,
        startedAt: startedAt ?? system.monotonic(),
        lease,
        ended: null,
      };
      judgeStart(run);
      const unheeded = pauses.judgeStart(process, subscription, stream);
      if (unheeded !== undefined) wrong(unheeded);
      runs.push(run);
      tell(`${process.name} ${subscription}:${event} attempt ${generation}.${attempt} ${behaviour}`);
      const end = (how: 'ok' | 'failed'): void => {
        run.ended = how;
        tell(`${process.name} ${subscription}:${event} ${how}`);
      };
      if (behaviour === 'kill') {
        struck += 1;
        process.crash();
        await new Promise(() => {});
      }
      if (behaviour === 'block') process.stall(1500);
      if (behaviour === 'hang') await new Promise(() => {});
      if (behaviour === 'slow') await process.sleep(30);
      if (behaviour === 'throw' || behaviour === 'permanent' || behaviour === 'never') {
        end('failed');
        throw behaviour === 'permanent' ? permanent('no') : new Error('not now');
      }
      end('ok');
      return behaviour === 'append' ? [{ type: 'Noted' as const, data: { by: `${subscription}:${event}` } }] : undefined;
    });

  /** As its supervisor would: again, a while later, until it runs. */
  const start = (process: Process, bus: EventBus<Events>): void => {
    bus.start({ leaseMs: LEASE_MS, sweepMs: 2 * LEASE_MS, concurrency: scenario.concurrency }).catch((error: unknown) => {
      tell(`${process.name} ${String(error)}`);
      if (isOrderfoldError(error, 'STORE')) process.system.setTimer(300, () => start(process, bus));
    });
  };

  const begin = (index: number, lives: number): Member => {
    const own = lives === 1 ? (scenario.faults[index] ?? []) : [];
    const { latencyMs, hints } = scenario;
    const process = cluster.process(`w${index}.${lives}`, { faults: own, latencyMs, hints, died: () => connection?.cut() });
    const connection = broker?.connect(process);
    const bus = createEventBus<Events>(process.system, { store: process.store, transport: connection?.transport });
    projectPlayed(bus, witness, system.monotonic, handle(process, 'viewing'));
    for (const name of ['holding', 'going'] as const) {
      const { onDead, retry, types } = SUBSCRIPTIONS[name];
      const run = handle(process, name);
      const on = Object.fromEntries(types.map((type) => [type, (delivery: Delivery) => run(delivery)]));
      bus.subscribe(name, { on, onDead, retry, timeoutMs: TIMEOUT_MS, start: 'beginning', ...PACES[scenario.pace ?? 'free'] });
    }
    bus.on('trouble', ({ where, error }) => tell(`${process.name} trouble ${where}: ${String(error)}`));
    start(process, bus);
    return { process, bus, lives };
  };

  const workers = Array.from({ length: scenario.workers }, (_, index) => begin(index, 1));
  const office = cluster.process('api', { latencyMs: scenario.latencyMs });
  const api = createEventBus<Events>(office.system, { store: office.store, transport: broker?.connect(office).transport });
  const worker = (index: number): Member => workers[index % workers.length] as Member;
  /** A dead process is started anew by its supervisor a while later. */
  const revive = (): void => {
    for (const [index, member] of workers.entries()) {
      if (member.process.alive) continue;
      struck += member.process.struck;
      workers[index] = begin(index, member.lives + 1);
    }
  };

  const act = (action: Action): unknown => {
    tell(JSON.stringify(action));
    if (action.do === 'publish') {
      const { stream, script, of } = action;
      const event = { stream: `s${stream}`, type: 'Did' as const, data: { script: { [of]: script } } };
      api.publish(event).then(
        ({ id }) => promised.add(id),
        (error: unknown) => tell(`publish: ${String(error)}`),
      );
      return;
    }
    if (action.do === 'storeClock') {
      system.stepWallClock(3_600_000);
      return;
    }
    if (action.do === 'away') {
      struck += 1;
      cluster.away(action.forMs, action.when);
      return;
    }
    if (action.do === 'brokerAway') {
      if (broker !== null) struck += 1;
      broker?.away(action.forMs);
      return;
    }
    if (action.do === 'pause' || action.do === 'resume') {
      const { process, bus } = action.worker === 3 ? { process: office, bus: api } : worker(action.worker);
      pauses.act(action, process, bus);
      return;
    }
    const { process, bus } = worker(action.worker);
    if (action.do === 'redrive' || action.do === 'discard') {
      bus.deadLetters[action.do]({ filter: {} }, { by: 'op', reason: 'test' }).catch((error: unknown) =>
        tell(`${action.do}: ${String(error)}`),
      );
      return;
    }
    if (action.do === 'wallClock') {
      process.stepWallClock(action.byMs);
      return;
    }
    struck += 1;
    if (action.do === 'crash') process.crash(action.arrive);
    if (action.do === 'stall') process.stall(action.forMs);
    if (action.do === 'stop') {
      bus.stop({ graceMs: action.graceMs }).then(
        () => start(process, bus),
        (error: unknown) => wrong(`R25 stop: ${String(error)}`),
      );
    }
  };

  const wantedBy = (name: SubscriptionName) => [...witness.events.values()].flat().filter(({ type }) => wants(name, type));
  const isQuiet = (): boolean =>
    (broker?.hasAll(witness.written) ?? true) &&
    NAMES.every((name) => wantedBy(name).every((event) => witness.isDone(name, event))) &&
    [...witness.parked.values()].every(
      (record) =>
        record.state !== 'scheduled' ||
        [...witness.parked.values()].some(
          (other) =>
            other.subscription === record.subscription &&
            other.stream === record.stream &&
            other.version < record.version &&
            other.state === 'dead' &&
            other.holds,
        ),
    );
  const untilQuiet = async (what: string): Promise<void> => {
    for (let waited = 0; waited < HEAL_MS; waited += 500) {
      await pauses.resumeAll(api);
      await system.advance(500);
      revive();
      // What fails all the time keeps a breaker open, and spends no attempt.
      if (isQuiet() || (scenario.pace === 'breaker' && !healed && waited > 10_000)) return;
    }
    const open = NAMES.flatMap((name) =>
      wantedBy(name)
        .filter((event) => !witness.isDone(name, event))
        .map((event) => `${name}:${event.stream}@${event.version}`),
    );
    const waiting = [...witness.parked.values()]
      .filter(({ state }) => state === 'scheduled')
      .map(({ id, startedAt }) => `${id}${startedAt === null ? '' : ' (started)'}`);
    wrong(`R1/R28 not quiet ${HEAL_MS} ms ${what}; undone: ${open.join(' ')}; scheduled: ${waiting.join(' ')}`);
  };

  for (const action of [...scenario.actions].sort((a, b) => a.at - b.at)) {
    while (system.monotonic() < action.at) {
      await system.advance(Math.min(250, action.at - system.monotonic()));
      revive();
    }
    act(action);
  }
  await untilQuiet('after the last action');
  healed = true;
  cluster.heal();
  broker?.heal();
  await system.advance(5000);
  await untilQuiet('after it was healed');
  for (let round = 0; [...witness.parked.values()].some(({ state }) => state === 'dead') && round < 20; round += 1) {
    await system.run(worker(0).bus.deadLetters.redrive({ filter: {} }, { by: 'op', reason: 'healed' }));
    await untilQuiet('after redriving what was dead');
  }

  judgeEnd(promised);
  const clockWasSet = scenario.actions.some(({ do: what }) => what === 'wallClock' || what === 'storeClock');
  const { violations } = audit(await recordRun(witness.store, { stage: 'settled', clockWasSet }));
  for (const { invariant, orderId, text } of violations) wrong(`${invariant} ${orderId}: ${text}`);
  for (const miscount of await miscounts(witness)) wrong(`exactly once: ${miscount}`);
  struck += workers.reduce((sum, { process }) => sum + process.struck, 0);
  for (const { process, bus } of workers) if (process.alive) await system.run(bus.close());
  await system.run(api.close());
  await system.advance(2000);
  if (system.pending > 0) wrong(`R25 ${system.pending} timers are left after everything was closed`);
  return {
    system,
    witness,
    runs,
    faults: [...faults, ...witness.faults.map(({ invariant, text }) => `${invariant} ${text}`)],
    struck,
    trace,
  };
};
