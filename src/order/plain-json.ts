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

/**
 * A deeply frozen copy of a value that JSON can carry unchanged, or what about it JSON can't. `undefined` properties are left out
 * and −0 becomes 0, as JSON does; all else it would change or lose in silence is refused: `undefined` in arrays, NaN, dates, maps,
 * functions, half characters, more than 100 levels. So is a key `__proto__`, which many a copy would take for a prototype.
 */
export const plainJson = (value: unknown): E.Either<readonly Issue[], unknown> => {
  const issues: Issue[] = [];
  const path: PropertyKey[] = [];
  const refuse = (message: string): undefined => {
    if (issues.length < MAX_ISSUES) issues.push({ path: pathText(path), message });
    return undefined;
  };
  const at = <T>(key: PropertyKey, look: () => T): T => {
    path.push(key);
    const seen = look();
    path.pop();
    return seen;
  };
  const copyArray = (list: readonly unknown[]): readonly unknown[] =>
    Object.freeze(Array.from(list, (item, index) => at(index, () => copy(item))));
  const copyObject = (source: object): object => {
    const target: Record<string, unknown> = {};
    for (const key of Object.keys(source)) {
      const item = (source as Record<string, unknown>)[key];
      if (item === undefined) continue;
      if (key === '__proto__') at(key, () => refuse('a property of this name is not accepted'));
      else if (loneSurrogate.test(key)) refuse('expected property names of whole characters');
      else target[key] = at(key, () => copy(item));
    }
    return Object.freeze(target);
  };
  const copy = (item: unknown): unknown => {
    switch (typeof item) {
      case 'boolean':
        return item;
      case 'string':
        return loneSurrogate.test(item) ? refuse('expected a text of whole characters') : item;
      case 'number':
        return Number.isFinite(item) ? item + 0 : refuse(`expected a finite number, got ${item}`);
      case 'object':
        if (item === null) return item;
        if (path.length >= MAX_DEPTH) return refuse(`expected at most ${MAX_DEPTH} levels`);
        if (Array.isArray(item)) return copyArray(item);
        return isPlain(item) ? copyObject(item) : refuse(`expected plain JSON, got ${nameOf(item)}`);
      default:
        return refuse(`expected plain JSON, got ${typeof item}`);
    }
  };
  const copied = copy(value);
  return issues.length > 0 ? E.left(issues) : E.right(copied);
};
