import fc from 'fast-check';
import type { Store, Unit } from '../../src/core/store.ts';
import { createEventBus } from '../../src/runtime/create-event-bus.ts';
import type { EventBus } from '../../src/runtime/event-bus.ts';
import type { ParkedDetail } from '../../src/runtime/parking.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { createCluster } from '../../src/testing/simulation/cluster.ts';
import type { Process } from '../../src/testing/simulation/process.ts';
import type { StoreFault } from '../../src/testing/simulation/store-fault.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';

/** `by` 0 is the process that only asks, the others work. */
type TimerAction =
  | {
      readonly at: number;
      readonly do: 'schedule';
      readonly by: number;
      readonly timer: number;
      readonly inMs: number;
      readonly how: 'delay' | 'at';
    }
  | { readonly at: number; readonly do: 'unschedule'; readonly by: number; readonly timer: number }
  | { readonly at: number; readonly do: 'crash'; readonly by: number; readonly arrive: boolean }
  | { readonly at: number; readonly do: 'stall'; readonly by: number; readonly forMs: number }
  | { readonly at: number; readonly do: 'away'; readonly forMs: number; readonly when: 'before' | 'after' }
  | { readonly at: number; readonly do: 'storeClock' }
  | { readonly at: number; readonly do: 'wallClock'; readonly by: number; readonly byMs: number };

export interface TimerScenario {
  readonly seed: number;
  readonly latencyMs: number;
  readonly hints: 'others' | 'none';
  /** Of each process's first life. */
  readonly faults: readonly (readonly StoreFault[])[];
  readonly actions: readonly TimerAction[];
}

const at = fc.integer({ min: 0, max: 3000 });
const by = fc.nat(2);
/** Three names in one stream, one in another. */
const timer = fc.nat(3);
const wish: fc.Arbitrary<TimerAction> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      at,
      do: fc.constant('schedule' as const),
      by,
      timer,
      inMs: fc.constantFrom(0, 1, 20, 300, 1500),
      how: fc.constantFrom('delay' as const, 'at' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ at, do: fc.constant('unschedule' as const), by, timer }) },
);
const trouble: fc.Arbitrary<TimerAction> = fc.oneof(
  fc.record({ at, do: fc.constant('crash' as const), by, arrive: fc.boolean() }),
  fc.record({ at, do: fc.constant('stall' as const), by, forMs: fc.integer({ min: 100, max: 4000 }) }),
  fc.record({
    at,
    do: fc.constant('away' as const),
    forMs: fc.integer({ min: 10, max: 3000 }),
    when: fc.constantFrom('before' as const, 'after' as const),
  }),
  fc.record({ at, do: fc.constant('storeClock' as const) }),
  fc.record({ at, do: fc.constant('wallClock' as const), by, byMs: fc.constantFrom(-3_600_000, 3_600_000) }),
);
const fault: fc.Arbitrary<StoreFault> = fc.record({
  of: fc.constantFrom<StoreFault['of']>('any', 'commit', 'commit', 'lookUp', 'tick', 'due', 'due'),
  nth: fc.integer({ min: 1, max: 30 }),
  kind: fc.constantFrom<StoreFault['kind']>('rejectBefore', 'rejectAfter', 'crashBefore', 'crashAfter', 'slow', 'lag'),
});

export const timerScenarios: fc.Arbitrary<TimerScenario> = fc.record({
  seed: fc.nat(),
  latencyMs: fc.constantFrom(0, 4, 30),
  hints: fc.constantFrom('others' as const, 'none' as const),
  faults: fc.array(fc.array(fault, { maxLength: 3 }), { maxLength: 3 }),
  actions: fc
    .tuple(fc.array(wish, { minLength: 1, maxLength: 25 }), fc.array(trouble, { maxLength: 5 }), fc.constantFrom(1, 4, 40))
    .map(([a, b, haste]) => [...a, ...b].map((action) => ({ ...action, at: Math.floor(action.at / haste) }))),
});

/** What became of a name, as the store was told. */
type Known = { readonly is: 'nothing' | 'taken' | 'fired' } | { readonly is: 'waiting'; readonly word: number; readonly dueAt: number };

interface Member {
  process: Process;
  bus: EventBus<{ Did: { word: number } }>;
  lives: number;
}

const streamOf = (index: number): string => (index === 3 ? 'other' : 's');

/** Plays schedulers and workers to the quiet end; tells everything that was wrong, and how many timers fired and were taken back. */
export const playTimers = async (scenario: TimerScenario) => {
  const system = virtualSystem({ seed: scenario.seed });
  const base = createMemoryStore(system, 2);
  const faults: string[] = [];
  const tally = { fired: 0, taken: 0, replaced: 0, struck: 0 };
  const told = new Map<string, Known[]>();
  const historyOf = (id: string): Known[] => {
    const history = told.get(id) ?? [{ is: 'nothing' }];
    told.set(id, history);
    return history;
  };
  const wrong = (what: string): void => void faults.push(`${system.monotonic()} ms: ${what}`);

  const judge = ({ lease, park = [], appends = [] }: Unit): void => {
    const events = appends.flatMap((append) => append.events);
    const ends = park.filter(({ record }) => record.state === 'done');
    if (events.length !== ends.length) wrong(`S18 ${events.length} events were appended by a unit that ends ${ends.length} timers`);
    for (const { record, delayMs } of park) {
      const history = historyOf(record.id);
      const now = history.at(-1);
      const { scheduled } = JSON.parse(record.detail) as ParkedDetail;
      const { word } = JSON.parse(scheduled?.data ?? '{}') as { readonly word: number };
      if (record.state === 'superseded') {
        if (now?.is !== 'waiting') wrong(`S19 ${record.id} was taken back and had been ${now?.is}`);
        tally.taken += 1;
        history.push({ is: 'taken' });
      } else if (record.state === 'done') {
        if (now?.is !== 'waiting' || now.word !== word) wrong(`S19 ${record.id} fired word ${word} and was ${JSON.stringify(now)}`);
        else if (system.now() < now.dueAt) wrong(`S18 ${record.id} fired ${now.dueAt - system.now()} ms early`);
        if (events[0]?.data !== JSON.stringify({ word })) wrong(`S18 ${record.id} appended ${events[0]?.data} for word ${word}`);
        tally.fired += 1;
        history.push({ is: 'fired' });
      } else if (lease === undefined) {
        if (now?.is === 'waiting') tally.replaced += 1;
        history.push({ is: 'waiting', word, dueAt: delayMs === undefined ? record.dueAt : system.now() + delayMs });
      }
    }
  };
  const shared: Store = {
    ...base,
    commit: (batch) =>
      base.commit(batch).then((result) => {
        for (const [index, unit] of batch.units.entries()) if (result.units[index]?.won === true) judge(unit);
        return result;
      }),
  };
  const cluster = createCluster(system, shared);

  const start = ({ process, bus }: Pick<Member, 'process' | 'bus'>): void =>
    void bus.start({ leaseMs: 1000 }).catch(() => process.system.setTimer(300, () => start({ process, bus })));
  const begin = (index: number, lives: number): Member => {
    const own = lives === 1 ? (scenario.faults[index] ?? []) : [];
    const process = cluster.process(`p${index}.${lives}`, { faults: own, latencyMs: scenario.latencyMs, hints: scenario.hints });
    const bus = createEventBus<{ Did: { word: number } }>(process.system, { store: process.store });
    bus.on('trouble', () => {});
    if (index > 0) start({ process, bus });
    return { process, bus, lives };
  };
  const members = [0, 1, 2].map((index) => begin(index, 1));
  const revive = (): void => {
    for (const [index, { process, lives }] of members.entries()) {
      if (process.alive) continue;
      tally.struck += process.struck;
      members[index] = begin(index, lives + 1);
    }
  };

  let words = 0;
  const act = (action: TimerAction): unknown => {
    if (action.do === 'away') return cluster.away(action.forMs, action.when);
    if (action.do === 'storeClock') return system.stepWallClock(3_600_000);
    const { process, bus } = members[action.by] as Member;
    if (action.do === 'wallClock') return process.stepWallClock(action.byMs);
    if (action.do === 'crash' || action.do === 'stall') tally.struck += 1;
    if (action.do === 'crash') return process.crash(action.arrive);
    if (action.do === 'stall') return process.stall(action.forMs);
    const stream = streamOf(action.timer);
    const name = `n${action.timer}`;
    if (action.do === 'schedule') {
      words += 1;
      const word = words;
      const when = action.how === 'delay' ? { delayMs: action.inMs } : { at: new Date(system.now() + action.inMs) };
      return bus.schedule({ stream, type: 'Did', data: { word } }, when, { name }).then(
        ({ id }) => {
          const times = historyOf(id).filter((known) => known.is === 'waiting' && known.word === word).length;
          if (times !== 1) wrong(`R26 word ${word} was promised and written ${times} times`);
        },
        () => {},
      );
    }
    const id = `timers:${stream}#user:${name}`;
    const since = historyOf(id).length - 1;
    return bus.unschedule(id).then(
      (back) => {
        const seen = historyOf(id).slice(since);
        const fits = seen.some(({ is }) => (back ? is === 'taken' : is === 'fired' || is === 'nothing'));
        if (!fits) wrong(`S19 unschedule said ${back} of ${id}, which was ${seen.map(({ is }) => is).join(', ')}`);
      },
      () => {},
    );
  };

  for (const action of [...scenario.actions].sort((a, b) => a.at - b.at)) {
    while (system.monotonic() < action.at) {
      await system.advance(Math.min(100, action.at - system.monotonic()));
      revive();
    }
    act(action);
  }
  for (let waited = 0; waited < 15_000; waited += 500) {
    await system.advance(500);
    revive();
  }
  cluster.heal();
  await system.advance(15_000);
  for (const [id, history] of told) if (history.at(-1)?.is === 'waiting') wrong(`R1 ${id} still waits`);
  const events = (await Promise.all(['s', 'other'].map((stream) => base.events(stream, 0, 1000)))).flat();
  if (events.length !== tally.fired) wrong(`R1 ${tally.fired} timers fired and left ${events.length} events`);
  for (const { process, bus } of members) if (process.alive) await system.run(bus.close());
  await system.advance(2000);
  if (system.pending > 0) wrong(`R25 ${system.pending} timers are left after everything was closed`);
  return { faults, ...tally };
};
