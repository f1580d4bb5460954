import { OrderfoldError } from '../core/errors.ts';

/** A step runs forwards (`do`) or is taken back (`undo`). */
export type Direction = 'do' | 'undo';

const STEP_KINDS = ['Requested', 'Succeeded', 'Refused', 'UndoRequested', 'Undone'] as const;

/** What can happen to a step under an event name of its own: `payment` + `Requested` = `PaymentRequested`. */
export type StepKind = (typeof STEP_KINDS)[number];

/** The event name of a step: `payment`, `Undone` → `PaymentUndone`. */
export const stepEventName = <Step extends string, Kind extends StepKind>(step: Step, kind: Kind) =>
  `${step.charAt(0).toUpperCase()}${step.slice(1)}${kind}` as `${Capitalize<Step>}${Kind}`;

/** What the event types of some steps say: `PaymentUndone` → step `payment`, kind `Undone`. */
export type StepTypes = ReadonlyMap<string, { readonly step: string; readonly kind: StepKind }>;

/** The same for steps of these names. */
export const stepTypes = (steps: readonly string[]): StepTypes =>
  new Map(steps.flatMap((step) => STEP_KINDS.map((kind) => [stepEventName(step, kind), { step, kind }] as const)));

/**
 * The key a step's outside effect is known by: the same over retries, crashes and redrives, different for every order,
 * step and direction. `<orderId>:<step>`, and `<orderId>:<step>:undo` for taking it back.
 */
export const effectKey = (orderId: string, step: string, direction: Direction): string =>
  direction === 'do' ? `${orderId}:${step}` : `${orderId}:${step}:undo`;

const SHAPE = /^[a-z][a-zA-Z0-9]{0,39}$/;

/**
 * Words of the library's own: the beginnings of the fixed event names; `undo`, because the effect key of such a step could equal
 * the undo key of another order's step; `timers` and `relay`, which are subscriptions, as every step is one under its name.
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

/** Whether a stored name can be a step's. Reserved words are not asked for here: what was placed before a word was reserved goes on. */
export const isStepName = (name: unknown): name is string => typeof name === 'string' && SHAPE.test(name) && !(name in Object.prototype);

/**
 * Refuses a step name that could be mistaken for something else, now or in a stored history.
 * @throws OrderfoldError `CONFIG`
 */
export const checkStepName = (name: unknown, earlier: readonly string[]): void => {
  const refuse = (problem: string) => new OrderfoldError('CONFIG', `OrderSaga.step: ${problem}`);
  if (!isStepName(name)) {
    const got = typeof name === 'string' ? JSON.stringify(name.slice(0, 60)) : typeof name;
    throw refuse(`expected a name of a lower-case letter, then at most 39 letters and digits, that not every object has, got ${got}`);
  }
  if (RESERVED.has(name)) throw refuse(`expected a name other than ${[...RESERVED].join(', ')}, got "${name}"`);
  if (earlier.includes(name)) throw refuse(`there is a step "${name}" already`);
  const taken = stepTypes(earlier);
  for (const type of stepTypes([name]).keys()) {
    const other = taken.get(type)?.step;
    if (other !== undefined) throw refuse(`the steps "${other}" and "${name}" would both write the event ${type}; rename one`);
  }
};
