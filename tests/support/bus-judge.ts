import { RetryPolicy } from '../../src/core/retry-policy.ts';
import type { System } from '../../src/core/system.ts';
import type { Process } from '../../src/testing/simulation/process.ts';
import type { Witness } from '../../src/testing/simulation/witness.ts';
import type { SubscriptionName } from './bus-scenarios.ts';

export const TIMEOUT_MS = 400;
export const LEASE_MS = 1000;

export const SUBSCRIPTIONS = {
  holding: { onDead: 'hold', retry: RetryPolicy.fixed({ delayMs: 50 }).maxAttempts(3), types: ['Did'] },
  going: { onDead: 'continue', retry: RetryPolicy.exponential({ baseMs: 40, jitter: 'full' }).maxAttempts(2), types: ['Did', 'Noted'] },
  viewing: { onDead: 'hold', retry: RetryPolicy.fixed({ delayMs: 60 }).maxAttempts(2), types: ['Did', 'Noted'] },
} as const satisfies Record<SubscriptionName, object>;
/** What holds `holding` and `going` back. */
export const PACES = {
  free: {},
  bounded: { concurrency: 1, rateLimit: { count: 3, perMs: 40 } },
  breaker: { breaker: { trip: 2, pause: RetryPolicy.fixed({ delayMs: 120 }) } },
} as const;
export const NAMES = Object.keys(SUBSCRIPTIONS) as SubscriptionName[];

/** One start of a handler. */
export interface Run {
  readonly subscription: SubscriptionName;
  readonly event: string;
  readonly stream: string;
  readonly version: number;
  readonly attempt: number;
  readonly generation: number;
  readonly process: Process;
  readonly startedAt: number;
  readonly lease: { readonly owner: string; readonly epoch: number } | undefined;
  ended: 'ok' | 'failed' | null;
}

/** Whether a subscription has a handler for a type; the relay has none that could be judged. */
export const wants = (name: string, type: string): boolean =>
  Object.hasOwn(SUBSCRIPTIONS, name) && (SUBSCRIPTIONS[name as SubscriptionName].types as readonly string[]).includes(type);

/** Says of every start, and of every position marked done, what is wrong with it. `runs` are all starts so far. */
export const createJudge = (system: System, witness: Witness, runs: readonly Run[], wrong: (what: string) => void) => {
  const isLive = (run: Run): boolean => {
    const owner = witness.ownerOf(run.subscription, shardOf(run));
    const owned = owner !== undefined && owner.owner === run.lease?.owner && owner.epoch === run.lease.epoch;
    return run.ended === null && run.process.alive && owned && system.monotonic() < run.startedAt + TIMEOUT_MS;
  };
  const shardOf = ({ stream }: { readonly stream: string }): number => witness.events.get(stream)?.[0]?.shard ?? 0;

  /** R3, R9, R16, R17: may this start? */
  const judgeStart = (run: Run): void => {
    const { subscription, stream, version, event, attempt, generation } = run;
    const id = `${subscription}:${event}`;
    const settings = SUBSCRIPTIONS[subscription];
    if (attempt > (settings.retry.attempts ?? Infinity)) wrong(`R3 attempt ${attempt} of ${id}`);
    for (const other of runs) {
      if (other.subscription !== subscription || other.stream !== stream) continue;
      if (isLive(other)) wrong(`R16 ${id} starts in ${run.process.name} while ${other.event} runs in ${other.process.name}`);
      if (other.event === event && other.generation === generation && other.attempt > attempt)
        wrong(`R9 ${id} is told attempt ${attempt} after ${other.attempt}`);
    }
    for (const earlier of witness.events.get(stream) ?? []) {
      if (earlier.version >= version || !wants(subscription, earlier.type)) continue;
      const record = witness.parked.get(`${subscription}:${stream}@${earlier.version}`);
      if (record !== undefined) {
        const inTheWay = record.state === 'scheduled' ? record.holds || record.generation === 0 : record.state === 'dead' && record.holds;
        if (inTheWay) wrong(`R16/R17 ${id} starts while version ${earlier.version} is ${record.state}`);
        continue;
      }
      const last = runs.findLast((one) => one.subscription === subscription && one.stream === stream && one.version === earlier.version);
      if (last?.ended !== 'ok' && !witness.isDone(subscription, earlier))
        wrong(`R16 ${id} starts before version ${earlier.version} has run`);
    }
    const record = witness.parked.get(id);
    if (record !== undefined && record.startedAt === null) wrong(`${id} starts and its start is not written down`);
    if (record !== undefined && system.now() < record.dueAt) wrong(`R6 ${id} starts ${record.dueAt - system.now()} ms too early`);
  };

  witness.onDone((subscription, event) => {
    if (!wants(subscription, event.type)) return undefined;
    const ran = runs.some(
      (run) => run.subscription === subscription && run.event === `${event.stream}@${event.version}` && run.ended === 'ok',
    );
    return ran ? undefined : `R1/R22 ${subscription}:${event.stream}@${event.version} is done and never succeeded`;
  });

  /** R1, R2, R12, R26: what is left once everything is quiet. @param promised ids of events whose publishing resolved */
  const judgeEnd = (promised: ReadonlySet<string>): void => {
    for (const id of promised) {
      const [stream = '', version = ''] = id.split('@');
      if (witness.events.get(stream)?.[Number(version) - 1] === undefined) wrong(`R26 ${id} was promised and is not there`);
    }
    const noted = [...witness.events.values()]
      .flat()
      .filter(({ type }) => type === 'Noted')
      .map(({ data }) => data);
    for (const data of new Set(noted))
      if (noted.indexOf(data) !== noted.lastIndexOf(data)) wrong(`R12 the outcome ${data} was taken twice`);
    for (const record of witness.parked.values()) {
      if (record.state !== 'done' && record.state !== 'discarded') wrong(`R1 ${record.id} ends as ${record.state}`);
      const ran = runs.some(
        (run) => `${run.subscription}:${run.event}` === record.id && run.ended === 'ok' && run.generation === record.generation,
      );
      const isJudged = Object.hasOwn(SUBSCRIPTIONS, record.subscription);
      if (isJudged && record.state === 'done' && !ran)
        wrong(`R2 ${record.id} is done and did not succeed in generation ${record.generation}`);
    }
  };

  return { judgeStart, judgeEnd, shardOf };
};
