/** Why an order or a wish about one was not taken. These codes and their meaning stay the same over versions. */
export type RejectionCode = 'INVALID' | 'NOT_FOUND' | 'TOO_LATE' | 'KEY_REUSED' | 'NOT_DEAD' | 'EXISTS';

/** What is wrong with one field. `path` reads `items[2].sku`, and is empty for the whole input. Never quotes a value. */
export interface Issue {
  readonly path: string;
  readonly message: string;
}

/** The normal "no": nothing was written. Comes as the `left` of an `Either`, so it can't be mistaken for an order. */
export interface Rejection {
  readonly code: RejectionCode;
  readonly message: string;
  readonly issues?: readonly Issue[];
}

/** A rejection without fields to name. */
export const rejection = (code: RejectionCode, message: string): Rejection => Object.freeze({ code, message });

/** The most issues one rejection lists; a hostile body can have 100,000. */
export const MAX_ISSUES = 50;

/** INVALID with the fields at fault, the first 50 of them. */
export const invalid = (message: string, issues: readonly Issue[]): Rejection =>
  Object.freeze({ code: 'INVALID', message, issues: Object.freeze(issues.slice(0, MAX_ISSUES)) });

/** `['items', 2, 'sku']` → `items[2].sku`. A key that is no plain word is quoted, and cut after 100 characters. */
export const pathText = (keys: readonly PropertyKey[]): string =>
  keys
    .map((key, at) => {
      if (typeof key === 'number' || /^\d{1,15}$/.test(String(key))) return `[${String(key)}]`;
      const text = String(key);
      if (/^[A-Za-z_$][\w$]{0,99}$/.test(text)) return at === 0 ? text : `.${text}`;
      return `[${JSON.stringify(text.slice(0, 100))}]`;
    })
    .join('');
