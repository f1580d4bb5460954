import type { ParkedDelivery, StoredEvent } from '../core/records.ts';
import type { Endings } from './endings.ts';
import type { Holding, InHand, Lane } from './holding.ts';
import { detailOf } from './parking.ts';
import type { RecordStart } from './starts.ts';
import type { Timers } from './timers.ts';
import { STARTS_BEFORE_TRIAL, type Trials } from './trials.ts';
import type { Turn, Went } from './turn.ts';

interface Context<State> {
  readonly trials: Trials;
  readonly endings: Endings<State>;
  readonly timers: Timers<State>;
  readonly recordStart: RecordStart;
  readonly isPaused: (holding: Holding, stream: string) => boolean;
  readonly freeSlot: (lane: Lane) => void;
  readonly begin: (turn: Turn, event: StoredEvent) => Went | Promise<Went>;
  readonly refuse: (turn: Turn, error: unknown) => Promise<Went>;
  /** The turn is over when this says so. */
  readonly follow: (turn: Turn, work: Promise<Went>) => void;
}

/** Runs a delivery that had been parked, or a timer: in its turn if it is a suspect, and with its start written down before it happens. */
export const createParkedRuns = <State>(context: Context<State>) => {
  const { trials, endings, timers, recordStart, isPaused, freeSlot, begin, refuse, follow } = context;

  const start = async (waiting: Turn, parked: ParkedDelivery, turnOf: (started: InHand) => Turn): Promise<Went> => {
    const { holding, inHand } = waiting;
    // What is paused is due again once it goes on.
    const waits = (): boolean => parked.kind === 'delivery' && isPaused(holding, parked.stream);
    const started = holding.live && !holding.closing && !waits() ? await recordStart(waiting, parked, inHand.event) : null;
    if (started === null || !holding.live) return 'over';
    const turn = turnOf(started);
    if (waits()) {
      await endings.postpone(turn, started, parked, detailOf(parked), 0);
      return 'over';
    }
    if (parked.kind === 'timer') {
      freeSlot(turn.lane);
      await timers.fire(turn, started, endings.settle).catch((error) => refuse(turn, error));
      return 'over';
    }
    return inHand.event === null ? 'over' : begin(turn, inHand.event);
  };

  return async (lane: Lane, inHand: InHand, parked: ParkedDelivery): Promise<Went> => {
    let leave = (): void => {};
    if (parked.lostStarts > 0) {
      const trial = trials.enter(parked.lostStarts);
      // Trials come one at a time: those that wait for theirs keep no slot from others.
      if (parked.lostStarts >= STARTS_BEFORE_TRIAL) freeSlot(lane);
      leave = await trial;
    }
    return new Promise((resolve) => {
      const over = (): void => {
        leave();
        resolve('over');
      };
      const turn = (of: InHand): Turn => ({ lane, holding: lane.holding, stream: parked.stream, inHand: of, over, repeats: 0 });
      follow(turn(inHand), start(turn(inHand), parked, turn));
    });
  };
};
