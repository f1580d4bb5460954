export type ErrorCode =
  | 'CONFIG'
  | 'VERSION_CONFLICT'
  | 'STORE'
  | 'TRANSPORT'
  | 'UNDECODABLE'
  | 'HANDLER'
  | 'HANDLER_TIMEOUT'
  | 'LEASE_LOST'
  | 'BUSY'
  | 'CLOSED';

const RETRYABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'VERSION_CONFLICT',
  'STORE',
  'TRANSPORT',
  'HANDLER',
  'HANDLER_TIMEOUT',
  'BUSY',
]);

const BRAND = 'orderfold.error';

/**
 * The one class of every fault orderfold raises. Tell faults apart by `code`, which stays the same over versions and
 * over two copies of the package; `retryable` says whether the same call may succeed later.
 */
export class OrderfoldError extends Error {
  override readonly name = 'OrderfoldError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly [BRAND] = true;

  constructor(code: ErrorCode, message: string, options: { readonly cause?: unknown; readonly retryable?: boolean } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.retryable = options.retryable ?? RETRYABLE.has(code);
  }
}

/** Recognises a fault of any copy of orderfold, and of one code if given. */
export const isOrderfoldError = (error: unknown, code?: ErrorCode): error is OrderfoldError =>
  typeof error === 'object' && error !== null && BRAND in error && (code === undefined || (error as OrderfoldError).code === code);
