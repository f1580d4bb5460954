import type { PaymentServer } from '../support/payment-server.ts';
import type { Heard } from './broker/listener.ts';
import type { Ending } from './child.ts';
import type { Accepted } from './order-load.ts';
import type { Quiet } from './quiet.ts';

/** How it is told that a process's wall clock jumped. */
export const CLOCK_STEPPED = 'a wall clock was stepped';

/** What is left of a run at its broker. */
export interface BrokerEvidence {
  /** By order, what another service heard, in this order and each for the first time. Copies do not count. */
  readonly heard: ReadonlyMap<string, readonly Heard[]>;
  /** By queue of the workers, how many messages wait there although all is quiet. */
  readonly waiting: Readonly<Record<string, number>>;
}

/** All that is left of a run when its processes are gone: what there is to audit. */
export interface Evidence {
  /** The SQLite file, which nobody uses any more. */
  readonly database: string;
  /** Every order somebody was told is taken. */
  readonly accepted: readonly Accepted[];
  /** Idempotency keys used. */
  readonly asked: number;
  readonly services: Pick<PaymentServer, 'books' | 'audit'>;
  readonly maxAttempts: number;
  /** How orders stood once the faults were lifted, before anybody redrove anything. */
  readonly quiet: Quiet;
  /** Where a broker carried the events. */
  readonly broker?: BrokerEvidence | undefined;
  /** The views that were kept. */
  readonly views: readonly string[];
  readonly logs: readonly { readonly name: string; readonly lines: readonly string[] }[];
  /** Dead letters, timelines and metrics as the producer showed them. */
  readonly shown: readonly string[];
  /** How the processes ended when they were told to. */
  readonly endings: readonly { readonly name: string; readonly ending: Ending }[];
  /** How often each fault really struck. */
  readonly struck: Readonly<Record<string, number>>;
  /** Those without which the run shows nothing. */
  readonly hadToStrike: readonly string[];
  readonly did: Readonly<Record<string, number>>;
  /** What went wrong while it ran. */
  readonly faults: readonly string[];
}

/** What of a run does not hold; one line each, by the rule it breaks. */
export interface Findings {
  /** Things looked at, by rule. */
  readonly checked: Readonly<Record<string, number>>;
  readonly faults: readonly { readonly rule: string; readonly text: string; readonly orderId?: string | undefined }[];
}

/** Takes down what one rule looked at and what it found. */
export interface Notes {
  look(rule: string, howMany?: number): void;
  fault(rule: string, text: string, orderId?: string): void;
}
