const BRAND = 'orderfold.postponed';

/** Thrown by a handler that could not do its work yet and did not try: no attempt is counted. */
export class Postponed extends Error {
  readonly [BRAND] = true;
  readonly delayMs: number;

  constructor(reason: string, delayMs: number) {
    super(reason);
    this.delayMs = delayMs;
  }
}

export const isPostponed = (error: unknown): error is Postponed => typeof error === 'object' && error !== null && BRAND in error;
