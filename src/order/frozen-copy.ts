import { OrderfoldError } from '../core/errors.ts';

/** Deeper than anything `plainJson` lets in; beyond it a copy could exhaust the stack. */
const DEEPEST = 1_000;

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const copyArray = (source: readonly unknown[], depth: number): readonly unknown[] => {
  const list = source.slice();
  for (let i = 0; i < list.length; i += 1) {
    const item = list[i];
    if (isObject(item)) list[i] = copy(item, depth + 1);
  }
  return Object.freeze(list);
};

/**
 * A loop and plain assignments, because folding spends a third of its time here: freezing a spread copy takes several times as long on
 * Node 20.
 */
const copyObject = (source: Readonly<Record<string, unknown>>, depth: number): object => {
  const target: Record<string, unknown> = {};
  for (const key in source) {
    const item = source[key];
    if (item === undefined || !Object.hasOwn(source, key)) continue;
    const copied = isObject(item) ? copy(item, depth + 1) : item;
    // Plain assignment would set the prototype.
    if (key === '__proto__') Object.defineProperty(target, key, { value: copied, enumerable: true });
    else target[key] = copied;
  }
  return Object.freeze(target);
};

const copy = (value: object, depth: number): object => {
  if (depth > DEEPEST) throw new OrderfoldError('UNDECODABLE', `a payload is nested deeper than ${DEEPEST}`);
  return Array.isArray(value) ? copyArray(value, depth) : copyObject(value as Readonly<Record<string, unknown>>, depth);
};

/**
 * A deeply frozen copy of plain JSON, the same value a JSON round trip gives. What a fold keeps of an event goes through here: freezing it
 * where it is would freeze the caller's event.
 */
export const frozenCopy = <T>(value: T): T => (isObject(value) ? (copy(value, 0) as T) : value);
