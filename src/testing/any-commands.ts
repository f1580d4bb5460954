import type { Arbitrary } from 'fast-check';
import { eventId } from '../core/envelope.ts';
import type { OrderCommand } from '../order/commands.ts';
import type { Plan } from '../order/plan.ts';
import type { FastCheck } from './arbitraries.ts';

/** Any command: mostly about steps and requests that the order can have, now and then about what it can't. */
export const commandsOf = (fc: FastCheck, plan: Plan, orderId: string): Arbitrary<OrderCommand> => {
  const mostly = <T>(usual: Arbitrary<T>, odd: Arbitrary<T>) => fc.oneof({ weight: 9, arbitrary: usual }, { weight: 1, arbitrary: odd });
  const names = plan.steps.map(({ name }) => name);
  const step = mostly(fc.constantFrom(...names), fc.constantFrom('__proto__', 'constructor', 'nobody'));
  const request = mostly(
    fc.integer({ min: 2, max: 20 }).map((version) => eventId(orderId, version)),
    fc.string({ maxLength: 20 }),
  );
  const deadLetterId = fc.tuple(step, request).map(([name, asked]) => `${name}:${asked}`);
  const text = mostly(fc.constantFrom('it is back', 'changed my mind'), fc.string({ unit: 'binary', maxLength: 300 }));
  const result = fc.jsonValue({ maxDepth: 2 });
  const operator = { by: text, reason: text };
  const of = <Type extends OrderCommand['type']>(type: Type) => fc.constant(type);
  return fc.oneof(
    fc.record({ type: of('Place'), orderId: fc.constant(orderId), details: result, plan: fc.constant(plan) }),
    fc.record({ type: of('Cancel'), reason: text }),
    fc.record({ type: of('PassDeadline') }),
    fc.record({ type: of('RecordSucceeded'), step, request, result }),
    fc.record({ type: of('RecordRefused'), step, request, reason: text }),
    fc.record({ type: of('RecordUndone'), step, request }),
    fc.record({ type: of('RecordUndone'), step, request, settled: fc.record({ result }) }),
    fc.record({ type: of('RecordSkipped'), step, request }),
    fc.record({
      type: of('RecordDead'),
      step,
      direction: fc.constantFrom('do' as const, 'undo' as const),
      deadLetterId,
      cause: text,
      attempts: fc.integer({ min: 1, max: 20 }),
    }),
    fc.record({ type: of('Redrive'), deadLetterId, ...operator }),
    fc.record({ type: of('Discard'), deadLetterId, ...operator }),
  );
};
