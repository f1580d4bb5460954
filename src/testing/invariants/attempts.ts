import type { ErrorFacts } from '../../core/error-facts.ts';
import type { Attempt } from '../../core/ledger.ts';
import { redact } from '../../core/redact.ts';
import type { Invariant } from '../recorded-run.ts';
import type { DeliveryEvidence } from './delivery-evidence.ts';
import type { Evidence } from './evidence.ts';
import { ofDeliveries, type Say } from './judged.ts';

/** Calls `judge` with every two attempts that follow one another with none left out in between. */
const eachPair = ({ attempts, gapAt }: DeliveryEvidence, judge: (before: Attempt, after: Attempt) => void): void => {
  for (let at = 1; at < attempts.length; at += 1)
    if (at !== gapAt || gapAt === 0) judge(attempts[at - 1] as Attempt, attempts[at] as Attempt);
};

/** What the record's columns say, against its ledger. */
const judgeColumns = ({ record, attempts }: DeliveryEvidence, say: Say): void => {
  const last = attempts.at(-1);
  const ofThisGeneration = last !== undefined && last.generation === record.generation ? last : undefined;
  const failed = ofThisGeneration?.attempt ?? 0;
  if (record.attempts !== failed)
    say(`counts ${record.attempts} failed attempts in generation ${record.generation}, and tells of ${failed}`);
  if (record.state === 'dead' && ofThisGeneration?.delayMs !== null) say('is dead, and its last attempt was to be followed by another');
  if (record.state === 'scheduled' && ofThisGeneration?.delayMs === null) say('waits for another attempt after its last one');
};

/**
 * Sees every parked delivery's ledger. The policy's limit is not stored, so it sees that attempts are numbered 1, 2, …, that each but the last of a
 * generation chose a wait, and that none follows the one that gave up.
 */
const byThePolicy = ofDeliveries(
  'R3',
  'failures are counted one by one, and a delivery is dead exactly when the policy gave up',
  (delivery, say) => {
    const { detail, attempts } = delivery;
    if (detail === undefined) return false;
    const first = attempts[0];
    if (first !== undefined && first.attempt !== 1) say(`begins with attempt ${first.attempt}`);
    eachPair(delivery, (before, after) => {
      const expected = after.generation === before.generation ? before.attempt + 1 : 1;
      if (after.attempt !== expected) say(`went from attempt ${before.attempt} to ${after.attempt}, in generation ${after.generation}`);
      const gaveUp = before.delayMs === null;
      if (gaveUp && after.generation === before.generation)
        say(`tried again after attempt ${before.attempt} was its last by ${before.rule}`);
      if (!gaveUp && after.generation > before.generation) say(`was redriven while attempt ${before.attempt} waited for the next`);
    });
    judgeColumns(delivery, say);
    return true;
  },
);

/** Times are cut to whole milliseconds when they are written down. */
const ACCURACY_MS = 1;

/**
 * Sees failed attempts that follow one another on the same worker, whose clock both were read from, unless a clock was set. A cancellation
 * wakes what waits, once, some time after it was decided: one wait after that may be cut short.
 */
const waitsAreKept = ofDeliveries(
  'R6',
  'the next attempt does not start before the wait that was chosen is over',
  (delivery, say, { run }) => {
    const { attempts, record } = delivery;
    if (run.clockWasSet === true || attempts.length < 2) return false;
    const cancelledAt =
      run.streams.get(record.stream)?.find(({ type }) => type === 'CancellationStarted')?.time ?? Number.POSITIVE_INFINITY;
    let woken = false;
    eachPair(delivery, (before, after) => {
      if (before.worker !== after.worker || before.generation !== after.generation || before.delayMs === null) return;
      const endedAt = Date.parse(before.endedAt);
      const startedAt = Date.parse(after.startedAt);
      const missing = endedAt + before.delayMs - startedAt;
      if (missing <= ACCURACY_MS) return;
      if (!woken && cancelledAt <= startedAt + ACCURACY_MS) woken = true;
      else say(`started attempt ${after.attempt} ${missing} ms before its wait of ${before.delayMs} ms was over`);
    });
    return true;
  },
);

/** Sees every wait in a ledger. */
const waitsAreFinite = ofDeliveries('R7', 'waits are finite and never negative', ({ attempts }, say) => {
  for (const { delayMs, attempt } of attempts)
    if (delayMs !== null && !(Number.isFinite(delayMs) && delayMs >= 0)) say(`waits ${String(delayMs)} ms after attempt ${attempt}`);
  return attempts.length > 0;
});

/** Sees every ledger, also where attempts are left out of it. */
const neverDecreases = ofDeliveries(
  'R9',
  'the attempt never decreases within a generation, nor does the generation',
  ({ attempts, record }, say) => {
    for (let at = 1; at < attempts.length; at += 1) {
      const before = attempts[at - 1] as Attempt;
      const after = attempts[at] as Attempt;
      if (after.generation < before.generation) say(`went from generation ${before.generation} back to ${after.generation}`);
      if (after.generation === before.generation && after.attempt < before.attempt)
        say(`went from attempt ${before.attempt} back to ${after.attempt}`);
    }
    const latest = attempts.at(-1)?.generation ?? 0;
    if (latest > record.generation) say(`has attempts of generation ${latest}, and is in generation ${record.generation}`);
    return attempts.length > 0;
  },
);

const LONGEST = { error: 8_000, message: 1_000, name: 100, code: 100, causes: 5, lost: 20 } as const;

/** A text that was cut may end in half of what redacting looks for. */
const WAS_CUT = /… \(\d+ more characters\)$/;

const judgeText = (text: string, what: string, say: Say, { clean }: Evidence): void => {
  if (clean.has(text)) return;
  if (!WAS_CUT.test(text) && redact(text) !== text) say(`keeps a secret in the ${what} of an error`);
  else clean.add(text);
};

const judgeError = (error: ErrorFacts, say: Say, evidence: Evidence): void => {
  let length = 0;
  for (const { name, code, message } of [error, ...error.causes]) {
    if (message.length > LONGEST.message || name.length > LONGEST.name || code.length > LONGEST.code)
      say(`keeps an error of ${message.length} characters, under a name of ${name.length} and a code of ${code.length}`);
    length += message.length + name.length + code.length;
    judgeText(message, 'message', say, evidence);
  }
  if (error.causes.length > LONGEST.causes) say(`keeps ${error.causes.length} causes of one error`);
  if (length > LONGEST.error) say(`keeps ${length} characters of one error`);
};

/** Sees the errors and lost starts of every parked delivery. Secrets are what `redact` knows by their shape. */
const bounded = ofDeliveries('R24', 'what is kept of an error is bounded and without secrets', ({ attempts, detail }, say, evidence) => {
  for (const { error } of attempts) judgeError(error, say, evidence);
  const lost = detail?.lost.length ?? 0;
  if (lost > LONGEST.lost) say(`keeps ${lost} lost starts`);
  return attempts.length > 0 || lost > 0;
});

/** What is about attempts and retries. */
export const attempts: readonly Invariant[] = [byThePolicy, waitsAreKept, waitsAreFinite, neverDecreases, bounded];
