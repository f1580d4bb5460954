import type { ErrorClass } from './error-class.ts';

/** `full`: 0 to the wait. `equal`: half the wait to the wait. `none`: the wait itself. */
export type Jitter = 'full' | 'equal' | 'none';

/** A wait that a rule asks for; jitter is drawn last, over the capped value. */
export type Backoff =
  | { readonly kind: 'fixed'; readonly delayMs: number; readonly jitter: Jitter }
  | { readonly kind: 'linear'; readonly baseMs: number; readonly stepMs: number; readonly capMs: number; readonly jitter: Jitter }
  | { readonly kind: 'exponential'; readonly baseMs: number; readonly factor: number; readonly capMs: number; readonly jitter: Jitter }
  | { readonly kind: 'decorrelated'; readonly baseMs: number; readonly capMs: number };

/** A bound that a rule sets, or a minimum for the wait. */
export type Limit =
  | { readonly kind: 'maxAttempts'; readonly attempts: number }
  | { readonly kind: 'maxElapsedMs'; readonly elapsedMs: number }
  | { readonly kind: 'honourRetryAfter'; readonly maxMs: number };

/** One line of a policy for every error alike. */
export type PlainRule = Backoff | Limit | { readonly kind: 'never' } | { readonly kind: 'retryIf'; readonly errors: ErrorClass };

/**
 * One line of a policy. All lines are heard: the first that says stop wins, else the longest wait any of them asks for.
 * So their order can't drop one, and joining two policies is joining their lines.
 */
export type Rule =
  | PlainRule
  | { readonly kind: 'orElse'; readonly errors: ErrorClass; readonly use: readonly Rule[]; readonly otherwise: readonly Rule[] };

/** A policy as data. */
export interface Rules {
  readonly rules: readonly Rule[];
}
