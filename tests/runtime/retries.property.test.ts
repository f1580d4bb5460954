import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { permanent } from '../../src/core/permanent.ts';
import { RetryPolicy } from '../../src/core/retry-policy.ts';
import { busCluster, type Subscriptions } from '../support/bus-cluster.ts';

const numRuns = Number(process.env.ORDERFOLD_RUNS ?? 100);

type Step = 'ok' | 'slow' | 'throw' | 'permanent' | 'hang';
const step = fc.constantFrom<Step>('ok', 'ok', 'slow', 'throw', 'throw', 'permanent', 'hang');

/** Policies as one could write them down, the odd ones too. */
const policies = {
  fixed: () => RetryPolicy.fixed({ delayMs: 30 }),
  linear: () => RetryPolicy.linear({ baseMs: 10, stepMs: 20, capMs: 60 }),
  exponential: () => RetryPolicy.exponential({ baseMs: 20, capMs: 90, jitter: 'full' }),
  decorrelated: () => RetryPolicy.decorrelated({ baseMs: 10, capMs: 200 }),
  immediately: () => RetryPolicy.immediately(),
  throwing: () =>
    RetryPolicy.fixed({ delayMs: 20 }).orElse(
      'throws',
      () => {
        throw new Error('a predicate that throws');
      },
      RetryPolicy.never(),
    ),
} as const;

const settings = fc.record({
  onDead: fc.constantFrom('hold' as const, 'continue' as const),
  policy: fc.constantFrom(...(Object.keys(policies) as (keyof typeof policies)[])),
  attempts: fc.integer({ min: 1, max: 4 }),
});

const scenario = fc.record({
  shards: fc.integer({ min: 1, max: 3 }),
  workers: fc.integer({ min: 1, max: 3 }),
  concurrency: fc.constantFrom(1, 3, 16),
  subscriptions: fc.array(settings, { minLength: 1, maxLength: 3 }),
  /** Per event its stream, and per subscription what its handler does, start after start. */
  events: fc.array(fc.record({ stream: fc.nat(3), scripts: fc.array(fc.array(step, { maxLength: 6 }), { minLength: 3, maxLength: 3 }) }), {
    minLength: 1,
    maxLength: 12,
  }),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer S> ? S : never;

/** What has to be started in one stream of one subscription, up to the quiet end and after one redrive of everything dead. */
const expected = ({ events, subscriptions }: Scenario, subscription: number, stream: number): { before: string[]; after: string[] } => {
  const { onDead, attempts: most } = subscriptions[subscription] as Scenario['subscriptions'][number];
  const queue = events
    .filter((event) => event.stream === stream)
    .map((event, index) => ({ version: index + 1, script: [...(event.scripts[subscription] ?? [])] }));
  const run = (started: string[], { version, script }: (typeof queue)[number], generation: number): boolean => {
    for (let attempt = 1; ; attempt += 1) {
      const does = script.shift() ?? 'ok';
      started.push(`${version}.${generation}.${attempt}`);
      if (does === 'ok' || does === 'slow') return true;
      if (does === 'permanent' || attempt >= most) return false;
    }
  };
  const before: string[] = [];
  const dead: typeof queue = [];
  while (queue.length > 0 && (dead.length === 0 || onDead === 'continue')) {
    const next = queue.shift() as (typeof queue)[number];
    if (!run(before, next, 0)) dead.push(next);
  }
  const after: string[] = [];
  for (const letter of dead) if (!run(after, letter, 1) && onDead === 'hold') return { before, after };
  for (const next of queue) if (!run(after, next, 0)) break;
  return { before, after };
};

describe('retries and dead letters', () => {
  it('R2 R3 R9 R15 R16 R17 R18 R31 every stream of every subscription runs exactly as its policy and order say', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const counts = new Map<string, number>();
        const seen = new Map<string, string[]>();
        const tooEarly: string[] = [];
        const due = new Map<string, { at: number; most: number }>();
        const subscriptions: Subscriptions = Object.fromEntries(
          given.subscriptions.map(({ onDead, policy, attempts }, index) => [
            `s${index}`,
            {
              onDead,
              retry: policies[policy]().maxAttempts(attempts),
              timeoutMs: 50,
              handle: async ({ data, stream, version, attempt, generation, id }, process) => {
                const { name } = data as { readonly name: string };
                const key = `s${index}/${stream}`;
                seen.set(key, [...(seen.get(key) ?? []), `${version}.${generation}.${attempt}`]);
                const wait = due.get(`s${index}:${id}`);
                const now = process.system.monotonic();
                if (attempt > 1 && wait !== undefined && (now < wait.at - 0.01 || (given.concurrency > 4 && now > wait.most)))
                  tooEarly.push(`${id} at ${now}, due ${wait.at}`);
                const nth = counts.get(`s${index}/${name}`) ?? 0;
                counts.set(`s${index}/${name}`, nth + 1);
                const does = given.events[Number(name)]?.scripts[index]?.[nth] ?? 'ok';
                if (does === 'slow') await process.sleep(20);
                if (does === 'hang') await new Promise(() => {});
                if (does === 'throw') throw new Error('not now');
                if (does === 'permanent') throw permanent('never');
              },
            },
          ]),
        );
        const { system, witness, member, publish } = busCluster(subscriptions, { shards: given.shards });
        const workers = Array.from({ length: given.workers }, (_, index) => member(`w${index}`));
        for (const worker of workers) {
          worker.bus.on('retry', ({ id, delayMs }) => {
            const now = system.monotonic();
            due.set(id, { at: now + delayMs, most: now + delayMs + 20 });
          });
          await worker.work({ concurrency: given.concurrency });
        }
        await system.advance(3000);
        for (const [index, { stream }] of given.events.entries()) await publish(`t${stream}`, String(index));
        await system.advance(8000);
        const compare = (part: 'before' | 'after' | 'both'): void => {
          for (const index of given.subscriptions.keys())
            for (const stream of [0, 1, 2, 3]) {
              const { before, after } = expected(given, index, stream);
              expect(seen.get(`s${index}/t${stream}`) ?? []).toEqual(part === 'before' ? before : [...before, ...after]);
            }
        };
        compare('before');
        for (const { bus } of workers.slice(0, 1)) await system.run(bus.deadLetters.redrive({ filter: {} }, { by: 'op', reason: 'again' }));
        await system.advance(8000);
        compare('both');
        expect(tooEarly).toEqual([]);
        expect(witness.faults).toEqual([]);
        for (const record of witness.parked.values()) {
          const most = given.subscriptions[Number(record.subscription.slice(1))]?.attempts ?? 0;
          expect(record.attempts).toBeLessThanOrEqual(most);
        }
      }),
      { numRuns },
    );
  }, 3_600_000);
});
