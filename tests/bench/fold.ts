import { decide } from '../../src/order/decide.ts';
import type { FoldableEvent } from '../../src/order/evolve.ts';
import { fold } from '../../src/order/fold.ts';
import type { Order } from '../../src/order/order.ts';

export interface FoldFigures {
  /** Median over the pairs of (fold, frozen) ÷ (plain mutation, nothing frozen, nothing copied). */
  readonly ratio: number;
  /** The same of the pair that was disturbed least. */
  readonly bestRatio: number;
  readonly foldMicros: number;
  readonly plainMicros: number;
}

const plan = {
  steps: [
    { name: 'payment', after: [], undo: 'undo' },
    { name: 'inventory', after: [], undo: 'undo' },
    { name: 'notification', after: ['payment', 'inventory'], undo: 'irreversible' },
  ],
  deadlineMs: 900_000,
} as const;

const details = {
  customerId: 'c-1',
  currency: 'EUR',
  items: [
    { sku: 'book', quantity: 2, unitPriceMinor: 1250 },
    { sku: 'pen', quantity: 1, unitPriceMinor: 300 },
  ],
  totalMinor: 2800,
};

/** The eight events of an order that goes well, as `decide` writes them and a store gives them back. */
export const eightEvents = (): readonly FoldableEvent[] => {
  const events: FoldableEvent[] = [];
  const run = (command: Parameters<typeof decide>[0]) => {
    const decided = decide(command, fold(events));
    if (decided._tag === 'Left') throw new Error(decided.left.message);
    for (const event of decided.right) {
      events.push({ ...event, stream: 'o-1', version: events.length + 1, time: '2026-01-01T00:00:00.000Z' });
    }
  };
  run({ type: 'Place', orderId: 'o-1', details, plan });
  run({ type: 'RecordSucceeded', step: 'payment', request: 'o-1@2', result: { chargeId: 'ch_1' } });
  run({ type: 'RecordSucceeded', step: 'inventory', request: 'o-1@3', result: { reservationId: 'r_1' } });
  run({ type: 'RecordSucceeded', step: 'notification', request: 'o-1@6', result: { messageId: 'm_1' } });
  return JSON.parse(JSON.stringify(events)) as FoldableEvent[];
};

interface PlainStep {
  status: string;
  request?: string;
  result?: unknown;
}

/** The least one could write by hand: no checks, no copies, nothing frozen. */
const plainMutation = (events: readonly FoldableEvent[]): unknown => {
  const order = {
    orderId: '',
    version: 0,
    status: '',
    phase: '',
    placedAt: '',
    details: {},
    plan: {},
    steps: {} as Record<string, PlainStep>,
  };
  for (const event of events) {
    const data = event.data as { step: string; result?: unknown; details: object; plan: typeof plan };
    const step = order.steps[data.step];
    switch (event.type) {
      case 'OrderPlaced':
        order.orderId = event.stream;
        order.placedAt = event.time;
        order.details = data.details;
        order.plan = data.plan;
        order.status = order.phase = 'placed';
        for (const { name } of data.plan.steps) order.steps[name] = { status: 'waiting' };
        break;
      case 'PaymentRequested':
      case 'InventoryRequested':
      case 'NotificationRequested':
        if (step) {
          step.status = 'requested';
          step.request = `${event.stream}@${event.version}`;
        }
        break;
      case 'PaymentSucceeded':
      case 'InventorySucceeded':
      case 'NotificationSucceeded':
        if (step) {
          step.status = 'succeeded';
          step.result = data.result;
        }
        break;
      case 'OrderConfirmed':
        order.status = order.phase = 'confirmed';
        break;
    }
    order.version = event.version;
  }
  return order;
};

/** Folds a stored order of eight events both ways, in interleaved pairs, so that a slow moment hits both. */
export const measureFold = ({ pairs = 7, folds = 20_000 } = {}): FoldFigures => {
  const events = eightEvents();
  let kept: unknown;
  const timed = (run: () => Order | unknown): number => {
    const start = performance.now();
    for (let i = 0; i < folds; i += 1) kept = run();
    return ((performance.now() - start) * 1000) / folds;
  };
  const plain = () => plainMutation(events);
  const real = () => fold(events);
  timed(plain);
  timed(real);
  const rows = Array.from({ length: pairs }, () => ({ plainMicros: timed(plain), foldMicros: timed(real) }));
  if (kept === undefined) throw new Error('nothing was folded');
  const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
  const ratios = rows.map((row) => row.foldMicros / row.plainMicros);
  return {
    ratio: median(ratios),
    bestRatio: Math.min(...ratios),
    foldMicros: median(rows.map((row) => row.foldMicros)),
    plainMicros: median(rows.map((row) => row.plainMicros)),
  };
};

if (import.meta.main) console.log(measureFold());
