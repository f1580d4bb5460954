import { OrderfoldError } from '../core/errors.ts';

/** A step runs forwards (`do`) or is taken back (`undo`). */
export type Direction = 'do' | 'undo';

/** What can happen to a step under an event name of its own: `payment` + `Requested` = `PaymentRequested`. */
export const STEP_KINDS = ['Requested', 'Succeeded', 'Refused', 'UndoRequested', 'Undone'] as const;
export type StepKind = (typeof STEP_KINDS)[number];

/** The event name of a step: `payment`, `Undone` → `PaymentUndone`. */
export const stepEventName = <Step extends string, Kind extends StepKind>(step: Step, kind: Kind) =>
  `${step.charAt(0).toUpperCase()}${step.slice(1)}${kind}` as `${Capitalize<Step>}${Kind}`;

/** What an event type says of a step: `PaymentUndone`, `payment` → `Undone`. A fold asks for every event, so it looks at the ends first. */
export const kindOf = (type: string, step: string): StepKind | undefined => {
  for (const kind of STEP_KINDS) {
    if (type.length !== step.length + kind.length || !type.endsWith(kind)) continue;
    return type === stepEventName(step, kind) ? kind : undefined;
  }
  return undefined;
};

/** Which step and kind an event type means, given the steps of the plan the order was placed under. */
export const parseStepEvent = (
  steps: readonly { readonly name: string }[],
  type: string,
): { readonly step: string; readonly kind: StepKind } | undefined => {
  for (const { name: step } of steps) {
    const kind = kindOf(type, step);
    if (kind !== undefined) return { step, kind };
  }
  return undefined;
};

/**
 * The key a step's outside effect is known by: the same over retries, crashes and redrives, different for every order,
 * step and direction. `<orderId>:<step>`, and `<orderId>:<step>:undo` for taking it back.
 */
export const effectKey = (orderId: string, step: string, direction: Direction): string =>
  direction === 'do' ? `${orderId}:${step}` : `${orderId}:${step}:undo`;

const SHAPE = /^[a-z][a-zA-Z0-9]{0,39}$/;

/**
 * Words of the library's own: the first of the fixed event names; `undo`, because the effect key of such a step could equal the undo key of another order's step;
 * `timers` and `relay`, which are subscriptions, as every step is one under its name.
 */
const RESERVED: ReadonlySet<string> = new Set([
  'order',
  'step',
  'deadLetter',
  'cancellation',
  'deadline',
  'undo',
  'undone',
  'timers',
  'relay',
]);

/** Whether a name may be a step's: `^[a-z][a-zA-Z0-9]{0,39}$`, no word of the library's, nothing every object has. */
export const isStepName = (name: unknown): name is string =>
  typeof name === 'string' && SHAPE.test(name) && !RESERVED.has(name) && !(name in Object.prototype);

/**
 * Refuses a step name that could be mistaken for something else, now or in a stored history.
 * @throws OrderfoldError `CONFIG`
 */
export const checkStepName = (name: unknown, earlier: readonly string[]): void => {
  if (!isStepName(name)) {
    const got = typeof name === 'string' ? JSON.stringify(name.slice(0, 60)) : typeof name;
    throw new OrderfoldError(
      'CONFIG',
      `OrderSaga.step: expected a name like "payment" (a lower-case letter, then at most 39 letters or digits; not ${[...RESERVED].join(', ')}, nor one every object has), got ${got}`,
    );
  }
  for (const other of earlier) {
    const clash = STEP_KINDS.map((kind) => stepEventName(name, kind)).find((type) => parseStepEvent([{ name: other }], type) !== undefined);
    if (clash !== undefined) {
      throw new OrderfoldError(
        'CONFIG',
        `OrderSaga.step: the steps "${other}" and "${name}" would both write the event ${clash}; rename one`,
      );
    }
  }
};
