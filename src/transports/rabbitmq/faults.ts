import { isOrderfoldError, OrderfoldError } from '../../core/errors.ts';
import { redact } from '../../core/redact.ts';

/** Reply codes of the broker. @see https://www.rabbitmq.com/docs/channels#error-handling */
export const NOT_FOUND = 404;
export const PRECONDITION_FAILED = 406;

/** The broker's own code, if it closed a channel or a connection with one. */
export const replyCode = (error: unknown): number | undefined => {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  return typeof code === 'number' ? code : undefined;
};

const textOf = (error: unknown): string => redact(error instanceof Error ? error.message : String(error));

export const closedFault = (): OrderfoldError => new OrderfoldError('CLOSED', 'the transport is closed');

/** What passes, whatever it is: a broker that is away, overworked or set up anew, and a login that is not right yet. */
export const transportFault = (what: string, cause: unknown): OrderfoldError =>
  isOrderfoldError(cause) ? cause : new OrderfoldError('TRANSPORT', `${what}: ${textOf(cause)}`, { cause });

/** What somebody has to put right, in the broker or in the options. */
export const configFault = (what: string, cause: unknown): OrderfoldError =>
  new OrderfoldError('CONFIG', `${what}: ${textOf(cause)}`, { cause });
