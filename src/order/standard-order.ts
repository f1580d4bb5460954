import type { SchemaIssue, StandardSchemaV1 } from './standard-schema.ts';
import { textProblem } from './text.ts';

/** One line of an order. */
export type OrderItem = {
  readonly sku: string;
  readonly quantity: number;
  /** Integer minor units: cents. */
  readonly unitPriceMinor: number;
};

/** What a customer asks for. */
export type OrderRequest = {
  readonly customerId: string;
  /** ISO 4217: three capital letters. */
  readonly currency: string;
  readonly items: readonly OrderItem[];
};

/** An order request with its total, as it is stored. */
export type StandardOrderDetails = OrderRequest & {
  readonly totalMinor: number;
};

type Fields = { readonly [field: string]: unknown };
type Report = (keys: readonly PropertyKey[], message: string) => void;

const MAX_ITEMS = 100;

/** Own properties only: a JSON body may name anything, `__proto__` and `constructor` too. */
const fieldsOf = (value: unknown, names: readonly string[], at: readonly PropertyKey[], report: Report): Fields | undefined => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    report(at, `expected an object with ${names.join(', ')}`);
    return undefined;
  }
  for (const key of Object.keys(value)) if (!names.includes(key)) report([...at, key], `unknown field; expected only ${names.join(', ')}`);
  return Object.fromEntries(names.map((name) => [name, Object.hasOwn(value, name) ? (value as Fields)[name] : undefined]));
};

const text = (value: unknown, at: readonly PropertyKey[], report: Report): string => {
  const problem = textProblem(value, 200);
  if (problem !== undefined) report(at, problem);
  return value as string;
};

/** −0 is let in as 0. */
const wholeNumber = (value: unknown, min: number, max: number, at: readonly PropertyKey[], report: Report): number => {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return (value as number) + 0;
  report(at, `expected a whole number from ${min} to ${max}`);
  return 0;
};

const itemOf = (value: unknown, index: number, report: Report): OrderItem => {
  const at = ['items', index];
  const fields = fieldsOf(value, ['sku', 'quantity', 'unitPriceMinor'], at, report);
  if (fields === undefined) return { sku: '', quantity: 0, unitPriceMinor: 0 };
  return {
    sku: text(fields.sku, [...at, 'sku'], report),
    quantity: wholeNumber(fields.quantity, 1, 1_000_000, [...at, 'quantity'], report),
    unitPriceMinor: wholeNumber(fields.unitPriceMinor, 0, 1_000_000_000, [...at, 'unitPriceMinor'], report),
  };
};

const itemsOf = (value: unknown, report: Report): readonly OrderItem[] => {
  if (Array.isArray(value) && value.length >= 1 && value.length <= MAX_ITEMS)
    return Array.from(value, (item, index) => itemOf(item, index, report));
  report(['items'], `expected 1 to ${MAX_ITEMS} items`);
  return [];
};

/** Each line is at most 10^15, so the sum is exact up to where it is refused. */
const totalOf = (items: readonly OrderItem[], report: Report): number => {
  let totalMinor = 0;
  for (const { quantity, unitPriceMinor } of items) {
    const lineMinor = quantity * unitPriceMinor;
    if (lineMinor > Number.MAX_SAFE_INTEGER - totalMinor) {
      report(['items'], `expected a total of at most ${Number.MAX_SAFE_INTEGER}`);
      return 0;
    }
    totalMinor += lineMinor;
  }
  return totalMinor;
};

const validate = (value: unknown): { readonly value: StandardOrderDetails } | { readonly issues: readonly SchemaIssue[] } => {
  const issues: SchemaIssue[] = [];
  const report: Report = (path, message) => void issues.push({ path, message });
  const fields = fieldsOf(value, ['customerId', 'currency', 'items'], [], report);
  if (fields === undefined) return { issues };
  const customerId = text(fields.customerId, ['customerId'], report);
  const { currency } = fields;
  if (typeof currency !== 'string' || !/^[A-Z]{3}$/.test(currency)) report(['currency'], 'expected three capital letters');
  const items = itemsOf(fields.items, report);
  const totalMinor = totalOf(items, report);
  return issues.length > 0 ? { issues } : { value: { customerId, currency: currency as string, items, totalMinor } };
};

/**
 * The order that is meant when a saga names no schema: a customer, a currency and 1 to 100 items in integer minor units. Adds
 * `totalMinor`, at most 2^53−1. Every field at fault is named; unknown ones are refused.
 */
export const standardOrder: StandardSchemaV1<OrderRequest, StandardOrderDetails> = Object.freeze({
  '~standard': Object.freeze({ version: 1, vendor: 'orderfold', validate } as const),
});
