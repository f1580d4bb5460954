import type { ParkedDelivery } from '../../../src/core/records.ts';
import type { Store } from '../../../src/core/store.ts';
import { fill } from '../backlog.ts';
import { file } from '../files.ts';
import { type Row, valueRow } from '../harness.ts';
import { EventBus, sqliteStore } from '../orderfold.ts';

const LETTERS = 100_000;
const IN_A_BATCH = 1000;
const CAUSES = 7;
const DEPTH = 200;

/** What is kept of a delivery whose only attempt failed, the way the engine writes it. */
const detail = (): string => {
  const error = { name: 'Error', code: 'ETIMEDOUT', message: 'no answer within 2000 ms', frame: 'charge (services.ts:10:3)', causes: [] };
  const at = new Date().toISOString();
  const attempt = { attempt: 1, generation: 0, startedAt: at, endedAt: at, worker: 'w', error, delayMs: null, rule: 'maxAttempts(1)' };
  return JSON.stringify({
    ledger: { attempts: [attempt], omitted: 0 },
    actions: [],
    lost: [],
    firstStartedAt: 0,
    previousDelayMs: 0,
    error,
  });
};

const letter = (index: number): ParkedDelivery => ({
  id: `payment:o-${index}@1`,
  kind: 'delivery',
  subscription: 'payment',
  shard: index % 16,
  stream: `o-${index}`,
  version: 1,
  position: 1,
  type: 'PaymentRequested',
  state: 'dead',
  dueAt: 0,
  attempts: 1,
  generation: 0,
  startedAt: null,
  lostStarts: 0,
  holds: true,
  cause: `Error CAUSE_${index % CAUSES}`,
  deadAt: null,
  closedAt: null,
  detail: detail(),
  revision: 0,
});

const bury = async (store: Store): Promise<void> => {
  await store.open();
  await store.register([{ name: 'payment', start: 'head' }]);
  for (let first = 0; first < LETTERS; first += IN_A_BATCH) {
    const units = Array.from({ length: IN_A_BATCH }, (_, index) => ({
      park: [{ record: letter(first + index), expect: 'absent' as const }],
    }));
    await store.commit({ owner: 'bench', id: String(first), units, progress: [] });
  }
};

/** Pages of fifty: the first, by cause, and on through the list by cursor. */
export const run = async (): Promise<readonly Row[]> => {
  const store = sqliteStore({ path: file('letters.db') });
  await fill(store, 1000);
  await bury(store);
  const bus = EventBus.create({ store });
  const pages = { first: [] as number[], 'by cause': [] as number[], 'by cursor': [] as number[] };
  let cursor: string | null = null;
  for (let round = -5; round < DEPTH; round += 1) {
    const asks = {
      first: {},
      'by cause': { cause: `Error CAUSE_${(round + CAUSES) % CAUSES}` },
      'by cursor': cursor === null ? {} : { cursor },
    };
    for (const [name, ask] of Object.entries(asks)) {
      const start = performance.now();
      const { deadLetters, nextCursor } = await bus.deadLetters.list({ ...ask, limit: 50 });
      const took = performance.now() - start;
      if (deadLetters.length !== 50) throw new Error(`${deadLetters.length} letters on a page`);
      if (name === 'by cursor') cursor = nextCursor;
      if (round >= 0) pages[name as keyof typeof pages].push(took);
    }
  }
  await bus.close();
  return Object.entries(pages).map(([name, ours]) =>
    valueRow({
      what: `page of 50 out of ${LETTERS.toLocaleString('en')} dead letters, ${name}`,
      peer: '–',
      unit: 'ms',
      ours,
      beside: [],
      limit: { at: 'most', value: 10 },
      note: `median of ${DEPTH}; p99 ${valueRow({ what: '', peer: '', unit: '', ours, beside: [], share: 0.99 }).ours?.toFixed(1)} ms`,
    }),
  );
};
