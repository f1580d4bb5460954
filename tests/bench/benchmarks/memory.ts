import { apart, atATime, interleaved, perSecond, type Row, ratioRow } from '../harness.ts';
import { EventBus, memoryStore } from '../orderfold.ts';
import { emittery, pQueue } from '../peers.ts';
import { request } from '../shop.ts';
import type { Side } from '../side-child.ts';

const EVENTS = 20_000;
const STREAMS = 1000;

const payload = (index: number) => ({ ...request, orderId: `o-${index}` });
type Payload = ReturnType<typeof payload>;

/** What a store does to a payload. */
const throughJson = (data: Payload): Payload => JSON.parse(JSON.stringify(data));
const asItIs = (data: Payload): Payload => data;

/** Published 100 at a time and handled, with retries, order and dead letters. */
const ours = async (): Promise<number> => {
  const bus = EventBus.create({ store: memoryStore() });
  let handled = 0;
  const all = new Promise<void>((resolve) => {
    bus.subscribe('projection', {
      on: {
        OrderSeen: async () => {
          handled += 1;
          if (handled === EVENTS) resolve();
        },
      },
    });
  });
  await bus.start();
  const start = performance.now();
  await atATime(100, EVENTS, (index) => bus.publish({ stream: `o-${index % STREAMS}`, type: 'OrderSeen', data: payload(index) }));
  await all;
  const rate = perSecond(EVENTS, start);
  await bus.close();
  return rate;
};

const awaitedEmits = async (passed: typeof asItIs): Promise<number> => {
  const emitter = await emittery();
  let handled = 0;
  emitter.on('OrderSeen', async () => {
    handled += 1;
  });
  const start = performance.now();
  for (let index = 0; index < EVENTS; index += 1) await emitter.emit('OrderSeen', passed(payload(index)));
  if (handled !== EVENTS) throw new Error(`emittery handled ${handled}`);
  return perSecond(EVENTS, start);
};

const queued = async (passed: typeof asItIs): Promise<number> => {
  const queue = await pQueue(64);
  let handled = 0;
  const handle = async (data: object): Promise<void> => {
    if (data !== null) handled += 1;
  };
  const start = performance.now();
  for (let index = 0; index < EVENTS; index += 1) {
    const data = passed(payload(index));
    void queue.add(() => handle(data));
  }
  await queue.onIdle();
  if (handled !== EVENTS) throw new Error(`p-queue handled ${handled}`);
  return perSecond(EVENTS, start);
};

export const sides: Readonly<Record<string, Side>> = {
  ours: async () => ours,
  emittery: async () => () => awaitedEmits(throughJson),
  pQueue: async () => () => queued(throughJson),
  bareEmittery: async () => () => awaitedEmits(asItIs),
  barePQueue: async () => () => queued(asItIs),
};

/** One subscription over the memory store beside an emitter and a queue that keep and promise nothing. */
export const run = async (): Promise<readonly Row[]> => {
  const names = Object.keys(sides);
  const processes = await Promise.all(names.map((name) => apart('memory', name)));
  const measures = Object.fromEntries(processes.map(({ measure }, index) => [names[index], measure] as const));
  const rates: Readonly<Record<string, readonly number[]>> = await interleaved(11, measures);
  for (const { end } of processes) await end();
  const row = { what: 'memory store, one subscription', unit: 'events/s', ours: rates.ours ?? [] };
  const beside = (name: string): readonly number[] => rates[name] ?? [];
  return [
    ratioRow({ ...row, peer: 'emittery, awaited emit, JSON round trip', beside: beside('emittery'), limit: { at: 'least', value: 0.5 } }),
    ratioRow({ ...row, peer: 'p-queue of 64, JSON round trip', beside: beside('pQueue'), limit: { at: 'least', value: 1 } }),
    ratioRow({ ...row, peer: 'emittery, payload handed on', beside: beside('bareEmittery') }),
    ratioRow({ ...row, peer: 'p-queue of 64, payload handed on', beside: beside('barePQueue') }),
  ];
};
