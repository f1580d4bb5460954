import type { ParkedDelivery } from '../core/records.ts';
import { type Order, type StepState, type StepStatus, stepOf } from '../order/order.ts';
import { detailOf } from './parking.ts';

/** A step as one sees it from outside: its folded state, and how its deliveries fare. */
export type StepView = Omit<StepState, 'status'> & {
  /** `retrying`: an attempt failed and another follows; `unknown`: nobody heard whether the last one took effect. */
  readonly status: StepStatus | 'retrying' | 'unknown';
  /** Attempts begun in its present direction and generation; 0 before the first. */
  readonly attempt: number;
};

/** An order with what its parked deliveries add. */
export type OrderView<O extends Order = Order> = Omit<O, 'steps'> & { readonly steps: { readonly [Step in keyof O['steps']]: StepView } };

/** Endings after which the call may have had its effect all the same. */
const UNHEARD = /^(HANDLER_TIMEOUT|CRASHED|LEASE_LOST|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|UND_ERR_.*|ABORT_ERR|20|23|LOST_REPLY)$/;

const stepView = (state: StepState, parked: ParkedDelivery | undefined): StepView => {
  const begun = state.status === 'waiting' || state.status === 'skipped' ? 0 : 1;
  if (parked === undefined) return { ...state, attempt: begun };
  const { ledger, lost } = detailOf(parked);
  const attempt =
    parked.state === 'dead'
      ? parked.attempts
      : Math.max(1, parked.attempts + (parked.startedAt === null && parked.state === 'scheduled' ? 0 : 1));
  const waits = state.status === 'requested' || state.status === 'undoing';
  const tried = parked.attempts > 0 || parked.lostStarts > 0 || lost.length > 0;
  if (!waits || parked.state !== 'scheduled' || !tried) return { ...state, attempt };
  const last = ledger.attempts.at(-1);
  const unheard = parked.lostStarts > 0 || lost.length > 0 || (last !== undefined && UNHEARD.test(last.error.code));
  return { ...state, status: unheard ? 'unknown' : 'retrying', attempt };
};

export const orderView = <O extends Order>(order: O, parked: readonly ParkedDelivery[]): OrderView<O> => {
  const views = Object.entries(order.steps).map(([name]) => {
    const state = stepOf(order, name);
    const current = state.undo?.request ?? state.request;
    return [
      name,
      stepView(
        state,
        parked.find(({ id }) => id === `${name}:${current ?? ''}`),
      ),
    ] as const;
  });
  return { ...order, steps: Object.fromEntries(views) } as unknown as OrderView<O>;
};
