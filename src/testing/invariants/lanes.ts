import type { Invariant } from '../recorded-run.ts';
import type { DeliveryEvidence } from './delivery-evidence.ts';
import { ofRun } from './judged.ts';

type Judge = (earlier: DeliveryEvidence, later: DeliveryEvidence) => string | undefined;

/** Judges every delivery of a lane against the next one; what holds of neighbours holds of all. */
const ofNeighbours = (id: string, says: string, judge: Judge, mayJudge: (clockWasSet: boolean) => boolean): Invariant =>
  ofRun(id, says, ({ run, neighbours }, accuse) => {
    if (!mayJudge(run.clockWasSet === true)) return 0;
    let checked = 0;
    for (const lane of neighbours) {
      for (const [at, later] of lane.entries()) {
        const earlier = lane[at - 1];
        if (earlier?.record.holds !== true) continue;
        checked += 1;
        const wrong = judge(earlier, later);
        if (wrong !== undefined) accuse(later.record.stream, `${later.record.id} ${wrong}`);
      }
    }
    return checked;
  });

/** It may have run, and succeeded, before its process was lost; then it ran again, when later ones had run already. */
const mayHaveRunBefore = ({ detail }: DeliveryEvidence): boolean => (detail?.lost.length ?? 0) > 0;

/** Times are cut to whole milliseconds when they are written down. */
const ACCURACY_MS = 1;

/** Sees the failed attempts of parked deliveries of one stream and subscription that ran on one worker, unless a clock was set. */
const inVersionOrder = ofNeighbours(
  'R16',
  'runs of one stream and subscription start in version order, none while an earlier one is live or waits for its retry',
  (earlier, later) => {
    const before = earlier.attempts.at(-1);
    const after = later.attempts[0];
    if (before === undefined || after === undefined || before.worker !== after.worker || mayHaveRunBefore(earlier)) return undefined;
    const overlapMs = Date.parse(before.endedAt) - Date.parse(after.startedAt);
    return overlapMs > ACCURACY_MS
      ? `started ${overlapMs} ms before attempt ${before.attempt} of ${earlier.record.id} had ended`
      : undefined;
  },
  (clockWasSet) => !clockWasSet,
);

/** Sees the parked deliveries of one stream and subscription of which an earlier one is open, where the dead are waited for. */
const waitsBehindTheDead = ofNeighbours(
  'R17',
  'while an earlier one is dead or waits for its retry, later deliveries of its stream wait',
  (earlier, later) => {
    if (!earlier.isOpen) return undefined;
    const { record, attempts } = later;
    if (record.state === 'done') return `is done, and ${earlier.record.id} is ${earlier.record.state}`;
    return attempts.length > 0 && !mayHaveRunBefore(earlier) ? `was tried, and ${earlier.record.id} is ${earlier.record.state}` : undefined;
  },
  () => true,
);

/** What is about the order of deliveries. */
export const lanes: readonly Invariant[] = [inVersionOrder, waitsBehindTheDead];
