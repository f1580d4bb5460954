import { isOrderfoldError, OrderfoldError } from '../../core/errors.ts';

/** Primary result codes. @see https://sqlite.org/rescode.html */
const BUSY = 5;
const LOCKED = 6;
const READ_ONLY = 8;
const IO = 10;
const CORRUPT = 11;
const FULL = 13;
const CANNOT_OPEN = 14;
const NOT_A_DATABASE = 26;

/** Those that pass by themselves or once an operator has made room; the rest would fail the same way again. */
const PASSING: ReadonlySet<number> = new Set([BUSY, LOCKED, READ_ONLY, IO, FULL, CANNOT_OPEN]);

/** The primary result code, if the error is SQLite's own. */
const codeOf = (error: unknown): number | undefined => {
  const { errcode } = error as { readonly errcode?: unknown };
  return typeof errcode === 'number' ? errcode & 0xff : undefined;
};

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export const isLocked = (error: unknown): boolean => {
  const code = codeOf(error);
  return code === BUSY || code === LOCKED;
};

export const closedFault = (): OrderfoldError => new OrderfoldError('CLOSED', 'this store is closed, or was never opened');

/** A fault of an open store. */
export const storeFault = (error: unknown, path: string): OrderfoldError => {
  if (isOrderfoldError(error)) return error;
  const code = codeOf(error);
  return new OrderfoldError('STORE', `${path}: ${textOf(error)}`, { cause: error, retryable: code !== undefined && PASSING.has(code) });
};

const REACHABLE = 'make sure that its folder can be made or exists, and that this user may write there';

const isFileSystemFault = (error: unknown): boolean => error instanceof Error && 'syscall' in error;

/** A fault while opening: what no waiting mends is a matter of configuration, and the message says what to do. */
export const openFault = (error: unknown, path: string): OrderfoldError => {
  if (isOrderfoldError(error)) return error;
  const config = (remedy: string) => new OrderfoldError('CONFIG', `${path}: ${textOf(error)}; ${remedy}`, { cause: error });
  if (isFileSystemFault(error)) return config(REACHABLE);
  switch (codeOf(error)) {
    case NOT_A_DATABASE:
      return config('this is no SQLite file, so name another path');
    case CORRUPT:
      return config('the file is damaged, so restore it from a backup or rescue it with `sqlite3 FILE .recover`');
    case CANNOT_OPEN:
      return config(REACHABLE);
    case READ_ONLY:
      return config('give this user the right to write the file and its folder');
    default:
      return storeFault(error, path);
  }
};
