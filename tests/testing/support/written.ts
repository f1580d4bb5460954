import { eventId } from '../../../src/core/envelope.ts';
import type { ParkedDelivery, StoredEvent } from '../../../src/core/records.ts';
import type { FoldableEvent } from '../../../src/order/evolve.ts';
import { effectKey } from '../../../src/order/names.ts';
import { type Plan, typesOf } from '../../../src/order/plan.ts';
import type { Effect, RecordedRun } from '../../../src/testing/recorded-run.ts';

export const STARTED_AT = Date.UTC(2026, 0, 1);
export const DETAILS = { totalMinor: 100, currency: 'EUR' };

/** Payment and inventory beside each other, then a notification nobody takes back; all within a minute. */
export const PLAN: Plan = {
  steps: [
    { name: 'payment', after: [], undo: 'undo' },
    { name: 'inventory', after: [], undo: 'undo' },
    { name: 'notification', after: ['payment', 'inventory'], undo: 'irreversible' },
  ],
  deadlineMs: 60_000,
};

/** A decided event as a store keeps it. */
export const storedOf = ({ stream, version, type, data, time }: FoldableEvent, position = version): StoredEvent => ({
  stream,
  version,
  shard: 0,
  position,
  type,
  schema: 1,
  time: Date.parse(time),
  data: JSON.stringify(data),
});

const OPERATOR = { by: 'ops', reason: 'it is back' };

/**
 * Any history in words, possible or not: `'PaymentRequested'`, `'StepSkipped payment'`, `'StepDeadLettered payment undo'`,
 * `'CancellationStarted deadline'`. Requests, keys and letters are filled in as they should be; `{ type, … }` puts other data in.
 */
export const written = (
  words: readonly (string | { readonly type: string; readonly [field: string]: unknown })[],
  plan: Plan = PLAN,
  stream = 'o',
): readonly StoredEvent[] => {
  const types = typesOf(plan);
  const asked = new Map<string, string>();
  const succeeded = new Set<string>();
  return ['OrderPlaced', ...words].map((given, at) => {
    const { type: text, ...over } = typeof given === 'string' ? { type: given } : given;
    const [type = '', first = '', direction = 'do'] = text.split(' ');
    const means = types.get(type);
    const step = means?.step ?? first;
    const answer = (way: string, key = way) => ({
      step,
      effectKey: effectKey(stream, step, key as 'do'),
      request: asked.get(`${step} ${way}`),
    });
    const letter = { ...answer(direction), direction, deadLetterId: `${step}:${asked.get(`${step} ${direction}`)}` };
    const undoing = asked.has(`${step} undo`);
    const data = ((): object => {
      switch (means?.kind ?? type) {
        case 'OrderPlaced':
          return { details: DETAILS, plan };
        case 'Requested':
          asked.set(`${step} do`, eventId(stream, at + 1));
          return { step, effectKey: effectKey(stream, step, 'do') };
        case 'UndoRequested':
          asked.set(`${step} undo`, eventId(stream, at + 1));
          return { step, effectKey: effectKey(stream, step, 'undo'), settle: !succeeded.has(step) };
        case 'Succeeded':
          succeeded.add(step);
          return { ...answer('do'), result: { amountMinor: 100 } };
        case 'Refused':
        case 'StepSkipped':
          return { ...answer(undoing ? 'undo' : 'do', 'do'), reason: 'no' };
        case 'Undone':
          return answer('undo');
        case 'UndoneByHand':
          return { ...answer('undo'), ...OPERATOR };
        case 'StepWaived':
          return answer('do');
        case 'StepDeadLettered':
          return { ...letter, cause: 'TIMEOUT', attempts: 2 };
        case 'DeadLetterRedriven':
        case 'DeadLetterDiscarded':
          return { ...letter, ...OPERATOR };
        case 'DeadLetterSuperseded':
          return letter;
        case 'CancellationStarted':
          return { cause: first || 'requested', reason: 'changed my mind' };
        case 'OrderCancelled':
          return { reason: 'changed my mind' };
        default:
          return {};
      }
    })();
    const time = new Date(STARTED_AT + at * 30_000).toISOString();
    return storedOf({ stream, version: at + 1, type, data: { ...data, ...over }, time });
  });
};

/** `'payment do 100'`, `'inventory undo'`: what the outside did, under the keys it should have been asked with. */
export const effects = (...words: readonly string[]): readonly Effect[] => effectsOf('o', ...words);

/** The same of another order. */
export const effectsOf = (orderId: string, ...words: readonly string[]): readonly Effect[] =>
  words.map((word, at) => {
    const [step = '', direction = 'do', amount] = word.split(' ');
    return {
      orderId,
      step,
      direction: direction as Effect['direction'],
      key: effectKey(orderId, step, direction as Effect['direction']),
      amountMinor: amount === undefined ? null : Number(amount),
      at,
    };
  });

export const runOf = (
  events: readonly StoredEvent[] | readonly (readonly StoredEvent[])[],
  rest: { readonly parked?: readonly ParkedDelivery[]; readonly effects?: readonly Effect[]; readonly stage?: RecordedRun['stage'] } = {},
): RecordedRun => {
  const streams = (Array.isArray(events[0]) ? events : [events]) as readonly (readonly StoredEvent[])[];
  return {
    streams: new Map(streams.map((stream) => [stream[0]?.stream ?? '', stream])),
    parked: rest.parked ?? [],
    effects: rest.effects ?? [],
    stage: rest.stage ?? 'settled',
  };
};
