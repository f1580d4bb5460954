/** JavaScript text as SQLite can keep it: UTF-8, or UTF-16 bytes where it has half a surrogate pair, which UTF-8 cannot say. */
export type SqlText = string | Uint8Array;

const isWellFormed = (text: string): boolean => (text as string & { isWellFormed(): boolean }).isWellFormed();

/** Keeps every text apart from every other, so that two odd stream names never become one. */
export const toSql = (text: string): SqlText => (isWellFormed(text) ? text : Buffer.from(text, 'utf16le'));

export const fromSql = (value: SqlText): string =>
  typeof value === 'string' ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf16le');

export const toSqlOrNull = (text: string | null): SqlText | null => (text === null ? null : toSql(text));

export const fromSqlOrNull = (value: SqlText | null): string | null => (value === null ? null : fromSql(value));
