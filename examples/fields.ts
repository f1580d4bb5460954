import { type FieldProblem, wrongFields } from './problems.ts';

/** Reads one field, or says what it expected. */
export type Reader<T> = (value: unknown) => { readonly value: T } | { readonly expected: string };

type ReadersOf<Fields> = { readonly [Name in keyof Fields]: Reader<Fields[Name]> };

export const text =
  (max: number): Reader<string> =>
  (value) => {
    const fits = typeof value === 'string' && value !== '' && value.length <= max && !/[\p{Surrogate}\0]/u.test(value);
    return fits ? { value } : { expected: `a text of 1 to ${max} characters` };
  };

export const wholeNumber =
  (min: number, max: number): Reader<number> =>
  (value) => {
    const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
    const fits = typeof number === 'number' && Number.isInteger(number) && number >= min && number <= max;
    return fits ? { value: number } : { expected: `a whole number from ${min} to ${max}` };
  };

export const utcTime: Reader<string> = (value) => {
  const time = typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?Z$/.test(value) ? Date.parse(value) : Number.NaN;
  const fits = Number.isFinite(time) && new Date(time).toISOString().slice(0, 16) === (value as string).slice(0, 16);
  return fits ? { value: value as string } : { expected: 'a time in UTC such as 2026-01-31T09:00:00Z' };
};

export const flag: Reader<boolean> = (value) => (typeof value === 'boolean' ? { value } : { expected: 'true or false' });

export const oneOf =
  <const T extends string>(values: readonly T[]): Reader<T> =>
  (value) => {
    const found = values.find((one) => one === value);
    return found === undefined ? { expected: `one of ${values.join(', ')}` } : { value: found };
  };

/** May be left out; in a query `status=` is left out too. */
export const optional =
  <T>(read: Reader<T>): Reader<T | undefined> =>
  (value) =>
    value === undefined || value === '' ? { value: undefined } : read(value);

/** What a list gave out as `nextCursor`, for one of the same kind. */
export const cursorOf =
  (list: string): Reader<string> =>
  (value) => {
    const text = typeof value === 'string' && /^[\w-]{1,300}$/.test(value) ? Buffer.from(value, 'base64url').toString() : '';
    return text.startsWith(`${list}:`) ? { value: text.slice(list.length + 1) } : { expected: 'a nextCursor of this list' };
  };

/** Opaque to whoever gets it, so that stores may differ. */
export const nextCursorOf = (list: string, cursor: string | null): string | null =>
  cursor === null ? null : Buffer.from(`${list}:${cursor}`).toString('base64url');

/** An object with these fields and no others. @throws a problem that names each field at fault, the first 50 of them */
export const readFields = <Fields>(given: unknown, readers: ReadersOf<Fields>, at = ''): Fields => {
  const names = Object.keys(readers);
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw wrongFields([{ field: at === '' ? 'body' : at, message: `expected an object with ${names.join(', ')}` }]);
  }
  const prefix = at === '' ? '' : `${at}.`;
  const problems: FieldProblem[] = Object.keys(given)
    .filter((name) => !names.includes(name))
    .map((name) => ({ field: `${prefix}${name.slice(0, 100)}`, message: `unknown; expected only ${names.join(', ')}` }));
  const fields: Record<string, unknown> = {};
  for (const [name, read] of Object.entries<Reader<unknown>>(readers)) {
    const answer = read(Object.hasOwn(given, name) ? (given as Record<string, unknown>)[name] : undefined);
    if ('value' in answer) fields[name] = answer.value;
    else problems.push({ field: prefix + name, message: `expected ${answer.expected}` });
  }
  if (problems.length > 0) throw wrongFields(problems.slice(0, 50));
  return fields as Fields;
};
