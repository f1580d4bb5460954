import type { Invariant, RecordedRun, StoredEvent, Violation } from '../../../src/testing/index.ts';
import { SECRETS } from '../../../src/testing/simulation/outside.ts';
import { type CarefulServices, keptBy } from './careful-services.ts';

type Found = Omit<Violation, 'invariant'>;

/** Entered in version order; once all is settled every one, but for those that an operator discarded. */
const checkBooks = (services: CarefulServices, types: readonly string[], { streams, parked, stage }: RecordedRun): Found[] => {
  const { entries } = keptBy(services);
  const found: Found[] = [];
  const latest = new Map<string, number>();
  for (const { stream: orderId, version } of entries) {
    if (version < (latest.get(orderId) ?? 0)) found.push({ orderId, text: `version ${version} was entered after ${latest.get(orderId)}` });
    latest.set(orderId, version);
  }
  if (stage !== 'settled') return found;
  const discarded = new Set(parked.filter(({ state }) => state === 'discarded').map(({ id }) => id));
  for (const [orderId, events] of streams)
    for (const { type, version } of events) {
      if (!types.includes(type) || discarded.has(`books:${orderId}@${version}`)) continue;
      if (!entries.some((entry) => entry.stream === orderId && entry.version === version))
        found.push({ orderId, text: `${type}, version ${version}, was never entered` });
    }
  return found;
};

/** By the store's clock, which the clocks of processes have no part in. */
const writtenAt = (event: StoredEvent): number => (event as StoredEvent & { readonly writtenAt: number }).writtenAt;

const checkDeadlines = ({ streams }: RecordedRun): Found[] => {
  const found: Found[] = [];
  for (const [orderId, events] of streams) {
    const [placed] = events;
    const passed = events.find(
      ({ type, data }) =>
        type === 'DeadlinePassed' || (type === 'CancellationStarted' && (JSON.parse(data) as { cause: string }).cause === 'deadline'),
    );
    if (placed === undefined || passed === undefined) continue;
    const { deadlineMs = Infinity } = (JSON.parse(placed.data) as { readonly plan: { readonly deadlineMs?: number } }).plan;
    const early = writtenAt(placed) + deadlineMs - writtenAt(passed);
    if (early > 0) found.push({ orderId, text: `its deadline passed ${early} ms early by the store's clock` });
  }
  return found;
};

const LONGEST_RECORD = 100_000;

/** Secrets in any of their spellings, in any column. */
const checkRecords = ({ parked }: RecordedRun): Found[] => {
  const secrets = [SECRETS.password, SECRETS.card, SECRETS.card.replaceAll(' ', '')];
  return parked.flatMap((record) => {
    const kept = JSON.stringify(record);
    if (kept.length > LONGEST_RECORD) return [{ orderId: record.stream, text: `${record.id} is ${kept.length} characters long` }];
    return secrets.some((secret) => kept.includes(secret)) ? [{ orderId: record.stream, text: `${record.id} keeps a secret` }] : [];
  });
};

/** What the services and the store's clock know beyond the library's own invariants. */
export const rulesOf = (services: CarefulServices, booked: readonly string[]): readonly Invariant[] => [
  {
    id: 'services are asked to take back what they did, and nothing else',
    says: 'an undo names what was done for its order, under a key of its own',
    check: () => keptBy(services).complaints.map((text) => ({ text })),
  },
  {
    id: 'books are complete and in order',
    says: 'every event the books want was entered, in version order',
    check: (run) => checkBooks(services, booked, run),
  },
  {
    id: "deadlines keep to the store's clock",
    says: 'whatever clocks are set, no deadline passes early by the clock of the store',
    check: checkDeadlines,
  },
  {
    id: 'parked deliveries are bounded and without secrets',
    says: 'no parked delivery grows without end, and none keeps a card number or a password',
    check: checkRecords,
  },
];
