import type { BrokerFault } from './broker.ts';
import type { Outage, StoreFault } from './store-fault.ts';

/**
 * What becomes of one call of a service. `slow`: takes a while. `down`: nothing happened, and the caller is told so. `lost`: done, and the
 * reply is lost. `hang`: done, and never answered. `late`: arrives after the caller has given up. `twice`: arrives a second time a little
 * later. `kill`: done, and the caller's process dies; `killBefore`: dies before anything left it. `secret`: fails with words nobody may keep.
 */
export type CallFate = 'ok' | 'slow' | 'down' | 'lost' | 'hang' | 'late' | 'twice' | 'kill' | 'killBefore' | 'secret';

/**
 * What becomes of one run of a handler. `throw`: fails before it does anything; `permanent`: so, and for good. `lost`: fails after it did
 * all of it. `hang`: never returns. `kill`: its process dies after it; `killBefore`: in its place. `block`: holds up its whole process for
 * longer than a short lease.
 */
export type RunFate = 'ok' | 'throw' | 'permanent' | 'lost' | 'hang' | 'kill' | 'killBefore' | 'block';

/** What one order meets, by the call's name (`payments.charge`) or the handler's (`payment`, `payment:undo`), time after time; then all is well. */
export type Fates = Readonly<Record<string, readonly (CallFate | RunFate)[]>>;

/** Milliseconds of the run at which something is done, and what. Numbers that choose among orders or processes are taken modulo how many there are. */
export type Action =
  /** `order` is what the order is made from. `times`: the client asks so often at once. */
  | { readonly at: number; readonly do: 'place'; readonly order: number; readonly fates: Fates; readonly times: number }
  | { readonly at: number; readonly do: 'cancel' | 'look' | 'pauseOrder' | 'resumeOrder'; readonly order: number; readonly by: number }
  | { readonly at: number; readonly do: 'cancelLater'; readonly order: number; readonly by: number; readonly inMs: number }
  /** `edit`: dead letters of subscriptions get the payload they had; those of steps refuse it. */
  | { readonly at: number; readonly do: 'redrive' | 'discard' | 'edit'; readonly by: number; readonly times: number }
  | { readonly at: number; readonly do: 'crash'; readonly who: number; readonly arrive: boolean }
  | { readonly at: number; readonly do: 'stall' | 'cutOff'; readonly who: number; readonly forMs: number }
  | { readonly at: number; readonly do: 'stop'; readonly who: number; readonly graceMs: number }
  | { readonly at: number; readonly do: 'storeClock'; readonly byMs: number }
  | { readonly at: number; readonly do: 'wallClock'; readonly who: number; readonly byMs: number }
  | { readonly at: number; readonly do: 'away'; readonly forMs: number; readonly when: Outage }
  | { readonly at: number; readonly do: 'brokerAway'; readonly forMs: number };

/** Everything that is not decided by the code: from it a run can be played again, and made smaller. Plain JSON. */
export interface SimulationPlan {
  /** Decides what the plan leaves open: how long each call travels, and who goes first at one moment. */
  readonly seed: number;
  readonly shards: number;
  readonly apis: number;
  readonly workers: number;
  readonly concurrency: number;
  readonly leaseMs: number;
  /** Each way to the store and back takes up to this long. */
  readonly latencyMs: number;
  /** Whether processes are told of each other's commits. */
  readonly hints: 'others' | 'none';
  /** By process: API processes first. */
  readonly storeFaults: readonly (readonly StoreFault[])[];
  readonly actions: readonly Action[];
  /** A broker carries the events, and this goes wrong with it. Without it workers read the log. */
  readonly broker?: readonly BrokerFault[];
}
