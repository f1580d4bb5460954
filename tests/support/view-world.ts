import { isOrderfoldError } from '../../src/core/errors.ts';
import { RetryPolicy } from '../../src/core/retry-policy.ts';
import type { View } from '../../src/runtime/view.ts';
import { busCluster, type Member } from './bus-cluster.ts';
import { COUNTING, type Count, countsOf, projectCounts, storedCounts } from './counting.ts';
import type { ViewAction, ViewScenario } from './view-scenarios.ts';

export interface ViewWorld {
  /** The rows as they are in the end, and as a fold of the log from nothing has them. */
  readonly stored: Record<string, Count>;
  readonly expected: Record<string, Count>;
  /** Everything that went wrong, in words. */
  readonly faults: readonly string[];
  /** Crashes, stalls, outages and store faults that really struck. */
  readonly struck: number;
  /** Calls of the handler, and the events in them. */
  readonly calls: number;
  readonly handed: number;
}

const HEAL_MS = 60_000;
const AUDIT = { by: 'op', reason: 'test' } as const;

/** Plays a scenario, heals the world, redrives what is dead until nothing is behind, and gives the rows. */
export const playViews = async (scenario: ViewScenario): Promise<ViewWorld> => {
  const { seed, shards, latencyMs, hints, slowMs, batch } = scenario;
  const bad = new Set<string>();
  const views = new Map<string, View<Count>>();
  const faults: string[] = [];
  let healed = false;
  let struck = 0;
  let published = 0;
  let calls = 0;
  let handed = 0;

  const { system, witness, member, away, heal } = busCluster(
    {},
    {
      shards,
      seed,
      declare: (bus, process) => {
        const before = async (names: readonly string[]): Promise<void> => {
          calls += 1;
          handed += names.length;
          if (slowMs > 0) await process.sleep(slowMs);
          if (!healed && names.some((name) => bad.has(name))) throw new Error('bad');
        };
        const retry = RetryPolicy.fixed({ delayMs: 30 }).maxAttempts(2);
        views.set(process.name, projectCounts(bus, process, before, { batch, retry, timeoutMs: 400 }));
      },
    },
  );

  const start = ({ bus, system: own }: Member): void => {
    bus.start({ leaseMs: 1000 }).catch((error: unknown) => {
      if (isOrderfoldError(error, 'STORE')) own.setTimer(300, () => start({ bus, system: own } as Member));
    });
  };
  const begin = (index: number, life: number): { readonly index: number; readonly life: number; readonly member: Member } => {
    const begun = member(`w${index}.${life}`, { faults: scenario.faults[index]?.[life - 1] ?? [], latencyMs, hints });
    start(begun);
    return { index, life, member: begun };
  };
  const workers = Array.from({ length: scenario.workers }, (_, index) => begin(index, 1));
  const revive = (): void => {
    for (const { index, life, member: last } of [...workers]) {
      if (last.alive) continue;
      struck += last.struck;
      workers[index] = begin(index, life + 1);
    }
  };
  const client = member('client', { latencyMs });

  const act = (action: ViewAction): void => {
    if (action.do === 'publish') {
      for (let index = 0; index < action.events; index += 1) {
        const name = `e${published}`;
        published += 1;
        if (action.bad.includes(index)) bad.add(name);
        client.bus.publish({ stream: `s${index % action.streams}`, type: 'Did', data: { name } }).catch(() => {});
      }
      return;
    }
    struck += 1;
    if (action.do === 'away') {
      away(action.forMs, action.when);
      return;
    }
    const { member: worker } = workers[action.worker % workers.length] as (typeof workers)[number];
    if (action.do === 'crash') worker.crash(action.arrive);
    if (action.do === 'stall') worker.stall(action.forMs);
    if (action.do === 'redrive') worker.bus.deadLetters.redrive({ filter: {} }, AUDIT).catch(() => {});
    if (action.do === 'rebuild')
      views
        .get(worker.name)
        ?.rebuild(AUDIT)
        .catch(() => {});
    if (action.do === 'stop') {
      worker.bus.stop({ graceMs: action.graceMs }).then(
        () => start(worker),
        (error: unknown) => faults.push(`stop: ${String(error)}`),
      );
    }
  };

  for (const action of [...scenario.actions].sort((a, b) => a.at - b.at)) {
    while (system.monotonic() < action.at) {
      await system.advance(Math.min(250, action.at - system.monotonic()));
      revive();
    }
    act(action);
  }
  await system.advance(5000);
  healed = true;
  heal();
  for (let waited = 0; ; waited += 1000) {
    await system.advance(1000);
    revive();
    await system.run(client.bus.deadLetters.redrive({ filter: {} }, AUDIT));
    const progress = await system.run((views.get('client') as View<Count>).progress());
    if (progress.caughtUp) break;
    if (waited < HEAL_MS) continue;
    const open = [...witness.parked.values()].map(({ id, state, startedAt }) => `${id} ${state} ${startedAt}`);
    faults.push(`${progress.behind} events are behind after ${HEAL_MS} ms: ${open.join(', ')}`);
    break;
  }
  const stored = await storedCounts(witness);
  for (const { member: worker } of workers) if (worker.alive) await system.run(worker.bus.close());
  for (const record of witness.parked.values())
    if (record.subscription === COUNTING && record.state !== 'done') faults.push(`${record.id} is ${record.state}`);
  struck += workers.reduce((sum, { member: worker }) => sum + worker.struck, 0);
  return {
    stored,
    expected: countsOf(witness),
    faults: [...faults, ...witness.faults.map(({ invariant, text }) => `${invariant} ${text}`)],
    struck,
    calls,
    handed,
  };
};
