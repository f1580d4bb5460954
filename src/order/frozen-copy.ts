import { OrderfoldError } from '../core/errors.ts';

/** Deeper than anything `plainJson` lets in; beyond it a copy could exhaust the stack. */
const DEEPEST = 1_000;

// A loop and plain assignments: on Node 20, freezing a spread copy takes ten times as long.
const copy = (value: unknown, depth: number): unknown => {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > DEEPEST) throw new OrderfoldError('UNDECODABLE', `a payload is nested deeper than ${DEEPEST}`);
  if (Array.isArray(value)) {
    const list: unknown[] = value.slice();
    for (let i = 0; i < list.length; i += 1) list[i] = copy(list[i], depth + 1);
    return Object.freeze(list);
  }
  const target: Record<string, unknown> = {};
  for (const key in value) {
    const item = (value as Record<string, unknown>)[key];
    if (item === undefined || !Object.hasOwn(value, key)) continue;
    // Plain assignment would set the prototype.
    if (key === '__proto__') Object.defineProperty(target, key, { value: copy(item, depth + 1), enumerable: true });
    else target[key] = copy(item, depth + 1);
  }
  return Object.freeze(target);
};

/**
 * A deeply frozen copy of plain JSON, the same value a JSON round trip gives. What a fold inserts goes through here: immer
 * freezes deeply what it finds in a draft, which would be the caller's event, and skips what is frozen already.
 */
export const frozenCopy = <T>(value: T): T => copy(value, 0) as T;
