import * as E from 'fp-ts/lib/Either.js';
import { type Issue, MAX_ISSUES, pathText } from './rejection.ts';

/** The deepest nesting accepted; parsers and printers elsewhere give up not far beyond. */
const MAX_DEPTH = 100;

const nameOf = (value: object): string => {
  const name = (value.constructor as { readonly name?: unknown } | undefined)?.name;
  return typeof name === 'string' && name !== '' ? `an object of class ${name.slice(0, 60)}` : 'an object with a prototype';
};

/** Objects of another realm have another `Object.prototype`, so it is known by having none itself. */
const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
};

const loneSurrogate = /\p{Surrogate}/u;

/** One look through a value: where it is in it, and what it found. */
interface Look {
  readonly path: PropertyKey[];
  readonly issues: Issue[];
}

const refuse = ({ path, issues }: Look, message: string): undefined => {
  if (issues.length < MAX_ISSUES) issues.push({ path: pathText(path), message });
  return undefined;
};

const copyArray = (list: readonly unknown[], look: Look): readonly unknown[] => {
  const target: unknown[] = [];
  for (let index = 0; index < list.length; index += 1) {
    look.path.push(index);
    target.push(copy(list[index], look));
    look.path.pop();
  }
  return Object.freeze(target);
};

const copyObject = (source: object, look: Look): object => {
  const target: Record<string, unknown> = {};
  for (const key of Object.keys(source)) {
    const item = (source as Record<string, unknown>)[key];
    if (item === undefined) continue;
    if (loneSurrogate.test(key)) {
      refuse(look, 'expected property names of whole characters');
      continue;
    }
    look.path.push(key);
    if (key === '__proto__') refuse(look, 'a property of this name is not accepted');
    else target[key] = copy(item, look);
    look.path.pop();
  }
  return Object.freeze(target);
};

const copy = (item: unknown, look: Look): unknown => {
  switch (typeof item) {
    case 'boolean':
      return item;
    case 'string':
      return loneSurrogate.test(item) ? refuse(look, 'expected a text of whole characters') : item;
    case 'number':
      return Number.isFinite(item) ? item + 0 : refuse(look, `expected a finite number, got ${item}`);
    case 'object':
      if (item === null) return item;
      if (look.path.length >= MAX_DEPTH) return refuse(look, `expected at most ${MAX_DEPTH} levels`);
      if (Array.isArray(item)) return copyArray(item, look);
      return isPlain(item) ? copyObject(item, look) : refuse(look, `expected plain JSON, got ${nameOf(item)}`);
    default:
      return refuse(look, `expected plain JSON, got ${typeof item}`);
  }
};

/**
 * A deeply frozen copy of a value that JSON can carry unchanged, or what about it JSON can't. `undefined` properties are left out
 * and −0 becomes 0, as JSON does; all else it would change or lose in silence is refused: `undefined` in arrays, NaN, dates, maps,
 * functions, half characters, more than 100 levels. So is a key `__proto__`, which many a copy would take for a prototype.
 */
export const plainJson = (value: unknown): E.Either<readonly Issue[], unknown> => {
  const look: Look = { path: [], issues: [] };
  const copied = copy(value, look);
  return look.issues.length > 0 ? E.left(look.issues) : E.right(copied);
};
