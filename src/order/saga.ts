import { OrderfoldError } from '../core/errors.ts';
import { flowChecks, resolveFlow } from '../core/flow.ts';
import { type Checker, flag, fn, listOf, optional, positiveMs, resolveOptions, text } from '../core/options.ts';
import { RetryPolicy } from '../core/retry-policy.ts';
import type { OrderEvents } from './events.ts';
import { checkStepName } from './names.ts';
import type { Order } from './order.ts';
import { mustNotRefuse, type Plan, type PlannedStep } from './plan.ts';
import { type OrderRequest, type StandardOrderDetails, standardOrder } from './standard-order.ts';
import type { SchemaInput, SchemaOutput, StandardSchemaV1 } from './standard-schema.ts';
import type { ResultOf, StepDefinition, StepOptions } from './step.ts';

type Pretty<T> = { readonly [Key in keyof T]: T[Key] } & {};

/** A step that may be waived, past the point of no return, may leave no result to those after it. */
type Seen<Return, Kind, Never> = [Kind] extends ['irreversible']
  ? ResultOf<Return> | undefined
  : Never extends true
    ? ResultOf<Return> | undefined
    : ResultOf<Return>;

/** A saga whose steps and order are not known to the compiler: what the runtime drives. */
export interface AnyOrderSaga {
  /** Stored with every order placed under this saga. */
  readonly plan: Plan;
  /** In the order they were added. */
  readonly steps: readonly StepDefinition[];
  /** Says what an order is; run when one is placed. */
  readonly schema: StandardSchemaV1;
  /** What the compiler knows of its orders; never there at run time. */
  readonly types?: { readonly input: unknown; readonly order: unknown; readonly events: unknown };
}

/**
 * How orders are processed: their schema, and steps with what each runs after and how it is taken back. Frozen; every `.step` makes a new
 * one.
 */
export interface OrderSaga<Input, Details, Results extends object> extends AnyOrderSaga {
  readonly schema: StandardSchemaV1<Input, Details>;
  readonly types?: {
    readonly input: Input;
    readonly order: Order<Details, Results>;
    readonly events: OrderEvents<Details, Results>;
  };
  /**
   * Adds a step.
   * @param name `payment` gives `PaymentRequested`, `PaymentSucceeded`, `PaymentRefused`, `PaymentUndoRequested`, `PaymentUndone`.
   * @throws OrderfoldError `CONFIG` for an unusable name or option, an `after` that names no earlier step, and a step that could
   * refuse although it may run after, or beside, an irreversible one.
   */
  step<
    const Name extends string,
    Return,
    const After extends readonly (keyof Results & string)[] = readonly [],
    Kind extends 'nothing' | 'irreversible' = never,
    Never extends boolean = false,
  >(
    name: Name extends keyof Results ? never : Name,
    options: StepOptions<Details, Pretty<Pick<Results, After[number]>>, After, Return, Kind, Never>,
  ): OrderSaga<Input, Details, Pretty<Results & { [Key in Name]: Seen<Return, Kind, Never> }>>;
}

/** The folded order of a saga: `OrderOf<typeof saga>`. */
export type OrderOf<Saga extends AnyOrderSaga> = NonNullable<Saga['types']>['order'];

/** The events of a saga's orders by type: `EventsOf<typeof saga>['PaymentSucceeded']`. */
export type EventsOf<Saga extends AnyOrderSaga> = NonNullable<Saga['types']>['events'];

/** What `place` takes for a saga. */
export type InputOf<Saga extends AnyOrderSaga> = NonNullable<Saga['types']>['input'];

/** What holds for the whole saga. */
export interface SagaOptions<Schema extends StandardSchemaV1> {
  /** Cancels an order that is not past the point of no return after this long. @default none */
  readonly deadlineMs?: number;
  /** Types and checks the order. @default a customer, a currency and items in integer minor units */
  readonly order?: Schema;
}

const schemaCheck: Checker<StandardSchemaV1> = {
  expected: 'a Standard Schema, version 1 (Zod, Valibot, ArkType and others make them)',
  accepts: (value): value is StandardSchemaV1 => {
    const holds = (typeof value === 'object' && value !== null) || typeof value === 'function';
    const standard = holds ? (value as Partial<StandardSchemaV1>)['~standard'] : undefined;
    return standard?.version === 1 && typeof standard.validate === 'function';
  },
  default: standardOrder,
};

const policyCheck: Checker<RetryPolicy> = {
  expected: 'a RetryPolicy',
  accepts: (value): value is RetryPolicy =>
    typeof value === 'object' &&
    value !== null &&
    Array.isArray((value as RetryPolicy).rules) &&
    typeof (value as RetryPolicy).scale === 'function',
};

const undoCheck: Checker<StepDefinition['do'] | 'nothing' | 'irreversible'> = {
  expected: "a function, 'nothing' or 'irreversible'",
  accepts: (value): value is StepDefinition['do'] | 'nothing' | 'irreversible' =>
    typeof value === 'function' || value === 'nothing' || value === 'irreversible',
};

const resolveStep = (name: string, given: object, earlier: readonly string[]): StepDefinition => {
  const where = `OrderSaga.step("${name}")`;
  const { undo, concurrency, rateLimit, breaker, ...options } = resolveOptions(where, given, {
    after: listOf(text(), []),
    do: fn<StepDefinition['do']>(),
    undo: undoCheck,
    query: optional(fn<StepDefinition['do']>()),
    retry: { ...policyCheck, default: RetryPolicy.default },
    undoRetry: optional(policyCheck),
    timeoutMs: positiveMs({ default: 30_000 }),
    neverRefuses: flag(false),
    ...flowChecks,
  });
  const stranger = options.after.find((one) => !earlier.includes(one));
  if (stranger !== undefined) {
    throw new OrderfoldError(
      'CONFIG',
      `${where}: expected after to name earlier steps (${earlier.join(', ') || 'there are none'}), got "${stranger}"`,
    );
  }
  return Object.freeze({
    ...options,
    name,
    after: Object.freeze([...new Set(options.after)]),
    undoKind: typeof undo === 'function' ? 'undo' : undo,
    undo: typeof undo === 'function' ? undo : undefined,
    undoRetry: options.undoRetry ?? options.retry.scale(3),
    flow: resolveFlow(where, { concurrency, rateLimit, breaker }),
  });
};

const planned = ({ name, after, undoKind: undo }: StepDefinition): PlannedStep => Object.freeze({ name, after, undo });

/** Beyond the point of no return nothing can be taken back, so no step there may still say no. */
const checkRefusals = (steps: readonly StepDefinition[]): void => {
  const willing = new Set(steps.filter((step) => step.neverRefuses).map((step) => step.name));
  const found = mustNotRefuse(steps.map(planned)).find(({ step }) => !willing.has(step));
  if (found === undefined) return;
  const { step, irreversible } = found;
  throw new OrderfoldError(
    'CONFIG',
    `OrderSaga.step("${step}"): it could refuse when "${irreversible}" can no longer be taken back; ` +
      `let "${irreversible}" run after it, or promise neverRefuses: true`,
  );
};

const build = <Input, Details, Results extends object>(
  schema: StandardSchemaV1<Input, Details>,
  deadlineMs: number | undefined,
  steps: readonly StepDefinition[],
): OrderSaga<Input, Details, Results> => {
  const step = (name: string, options: object) => {
    const earlier = steps.map((one) => one.name);
    checkStepName(name, earlier);
    const next = [...steps, resolveStep(name, options, earlier)];
    checkRefusals(next);
    return build(schema, deadlineMs, next);
  };
  const plan = Object.freeze({ steps: Object.freeze(steps.map(planned)), ...(deadlineMs === undefined ? {} : { deadlineMs }) });
  return Object.freeze({ plan, steps: Object.freeze(steps), schema, step: step as OrderSaga<Input, Details, Results>['step'] });
};

/**
 * Begins a saga without steps.
 * @throws OrderfoldError `CONFIG`
 * @example
 * const saga = OrderSaga.define({ deadlineMs: 15 * 60_000 })
 *   .step('payment', {
 *     do: async ({ order }) => ({ chargeId: `ch_${order.totalMinor}` }),
 *     undo: async ({ result }) => console.log(`refund ${result.chargeId}`),
 *   })
 *   .step('notification', { after: ['payment'], do: ({ results }) => results.payment.chargeId, undo: 'irreversible' });
 */
const define = <Schema extends StandardSchemaV1 = StandardSchemaV1<OrderRequest, StandardOrderDetails>>(
  options: SagaOptions<Schema> = {},
): OrderSaga<SchemaInput<Schema>, SchemaOutput<Schema>, Record<never, never>> => {
  const { deadlineMs, order } = resolveOptions('OrderSaga.define', options, { deadlineMs: optional(positiveMs()), order: schemaCheck });
  return build(order as StandardSchemaV1<SchemaInput<Schema>, SchemaOutput<Schema>>, deadlineMs, []);
};

/** Makes sagas: `OrderSaga.define()`, then a `.step` for each. */
export const OrderSaga = /* @__PURE__ */ Object.freeze({ define });
