import { causeChain, codeOf, readProperty, retryAfterOf } from './cause-chain.ts';
import { isPermanent } from './permanent.ts';
import { redact } from './redact.ts';

/** What is kept of one thrown value. */
export interface CauseFacts {
  readonly name: string;
  /** Its `code`, else `'HANDLER'`. */
  readonly code: string;
  /** At most 1000 characters; a longer one says how many are missing. */
  readonly message: string;
}

/** What is kept of a failure: bounded, without secrets, plain JSON, and well-formed Unicode that every store takes. */
export interface ErrorFacts extends CauseFacts {
  /** The first line of its stack that is neither Node's nor a dependency's. */
  readonly frame?: string;
  /** Its causes and, for an `AggregateError`, its parts; at most 5. */
  readonly causes: readonly CauseFacts[];
  /** How long the other side asked to be left alone. */
  readonly retryAfterMs?: number;
  /** `permanent` marked it. */
  readonly permanent: boolean;
}

const LONGEST_MESSAGE = 1000;
const LONGEST_NAME = 100;
const LONGEST_FRAME = 300;
const MOST_CAUSES = 5;

/** Lone surrogates and NUL are text that JavaScript takes and databases refuse. */
const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, '\ufffd').replaceAll('\0', '\ufffd');

/** Redacts first and cuts later, and far from where the window ends, so that no half of a secret stays. */
const bounded = (text: string, longest: number): string => {
  const window = text.slice(0, 4 * longest);
  const unread = text.length - window.length;
  const safe = wellFormed(redact(window));
  if (unread === 0 && safe.length <= longest) return safe;
  const room = Math.max(0, Math.min(longest - 30, unread === 0 ? longest : safe.length - 200));
  const kept = safe.slice(0, room).replace(/\p{Surrogate}$/u, '');
  return `${kept}… (${unread + safe.length - kept.length} more characters)`;
};

const messageOf = (error: unknown): string => {
  const message = readProperty(error, 'message');
  if (typeof message === 'string') return message;
  if (typeof error === 'function' || (typeof error === 'object' && error !== null)) return `a thrown ${typeof error} without a message`;
  return String(error);
};

const factsOf = (error: unknown): CauseFacts => {
  const name = readProperty(error, 'name');
  return {
    name: bounded(typeof name === 'string' && name !== '' ? name : error === null ? 'null' : typeof error, LONGEST_NAME),
    code: bounded(codeOf(error) ?? 'HANDLER', LONGEST_NAME),
    message: bounded(messageOf(error), LONGEST_MESSAGE),
  };
};

const frameOf = (error: unknown): string | undefined => {
  const stack = readProperty(error, 'stack');
  if (typeof stack !== 'string') return undefined;
  const start = stack.indexOf('\n    at '); // a message of any length stands before it
  if (start < 0) return undefined;
  const lines = stack.slice(start, start + 16_384).split('\n');
  const own = lines.find((line) => line.startsWith('    at ') && !/node_modules|node:|\(<anonymous>\)|\(index \d+\)|\bnative\b/.test(line));
  return own === undefined ? undefined : bounded(own.slice('    at '.length).trim(), LONGEST_FRAME);
};

/** The errors an `AggregateError` holds; index by index, because anything may call itself one. */
const partsOf = (error: unknown): readonly unknown[] => {
  const parts = readProperty(error, 'errors');
  return Array.from({ length: MOST_CAUSES }, (_, index) => readProperty(parts, String(index))).filter((part) => part !== undefined);
};

/**
 * What is stored, logged and shown of a failure. Total: whatever was thrown, this neither throws nor grows beyond 8,000 characters.
 * Connection strings' logins, passwords, tokens and card numbers are hidden.
 */
export const describeError = (error: unknown): ErrorFacts => {
  const chain = causeChain(error);
  const frame = frameOf(error);
  const retryAfterMs = retryAfterOf(error);
  return {
    ...factsOf(error),
    ...(frame === undefined ? {} : { frame }),
    causes: [...chain.slice(1), ...chain.flatMap(partsOf)].slice(0, MOST_CAUSES).map(factsOf),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    permanent: isPermanent(error),
  };
};
