import type { OperatorAction } from '../../runtime/parking.ts';
import type { Invariant } from '../recorded-run.ts';
import { ofDeliveries, ofRun, type Say } from './judged.ts';
import { type OrderEvidence, wasOpen } from './order-evidence.ts';

/** A delivery counts as ended or as dead, in its record and in its order's stream. */
const doneOrDead = ofRun('R2', 'no delivery is both done and dead in one generation', ({ deliveries, orders }, accuse) => {
  let checked = 0;
  for (const { record, attempts } of deliveries.values()) {
    const last = attempts.at(-1);
    if (record.state === 'done' && last?.generation === record.generation && last.delayMs === null)
      accuse(record.stream, `${record.id} is done, and died in the same generation ${record.generation}`);
    checked += 1;
  }
  for (const order of orders) if (order.letters.length > 0) judgeLetters(order, (text) => accuse(order.orderId, text));
  return checked;
});

const judgeLetters = ({ letters, asked }: OrderEvidence, say: Say): void => {
  for (const letter of letters) {
    if (letters.some((other) => other !== letter && other.id === letter.id && wasOpen(letter, other.opened.version)))
      say(`${letter.id} died while it was dead`);
    for (const { type, kind, version } of asked.get(letter.opened.data.request as string)?.answers ?? [])
      if (!kind.startsWith('DeadLetter') && wasOpen(letter, version)) say(`${type} answers ${letter.id} while it was dead`);
  }
};

const makesAGeneration = ({ action }: OperatorAction): boolean => action === 'redriven' || action === 'edited';

/** Sees what operators did to every parked delivery; of orders that are quiet, also how often the stream tells of it. */
const oneGeneration = ofRun('R19', 'a redrive gives exactly one new generation', ({ deliveries, orders, run }, accuse) => {
  let checked = 0;
  for (const { record, detail } of deliveries.values()) {
    if (detail === undefined) continue;
    const ended = detail.actions.filter(makesAGeneration).map(({ generation }) => generation);
    if (ended.length > 0) checked += 1;
    if (record.generation !== ended.length || ended.some((generation, at) => generation !== at))
      accuse(
        record.stream,
        `${record.id} is in generation ${record.generation} after redrives of the generations ${ended.join(', ') || 'none'}`,
      );
  }
  if (run.stage === 'running') return checked;
  for (const { orderId, letters } of orders) {
    for (const id of new Set(letters.map((letter) => letter.id))) {
      const generation = deliveries.get(id)?.record.generation;
      const deaths = letters.filter((letter) => letter.id === id);
      const redriven = deaths.filter(({ closed }) => closed?.kind === 'DeadLetterRedriven').length;
      // Code that could not fold the order may have buried it once without a word in the stream, and then it is redriven without one.
      if (generation === undefined || deaths.length < generation) continue;
      if (generation !== redriven) accuse(orderId, `${id} is in generation ${generation}, and its stream tells of ${redriven} redrives`);
    }
  }
  return checked;
});

const isSaid = (value: unknown): boolean => typeof value === 'string' && value !== '';

const judgeWords = ({ action, at, by, reason }: OperatorAction, say: Say): void => {
  if (!isSaid(by) || !isSaid(reason)) say(`was ${action} by ${by || 'nobody'} for ${reason || 'no reason'}`);
  if (Number.isNaN(Date.parse(at))) say(`was ${action} at ${at}, which is no time`);
};

const judgeFacts = ({ facts }: OrderEvidence, kinds: readonly string[], say: Say): void => {
  for (const { kind, type, data } of facts)
    if (kinds.includes(kind) && (!isSaid(data.by) || !isSaid(data.reason))) say(`${type} does not say who did it and why`);
};

/** Sees the redrives and edits of every parked delivery and, of orders, what the stream tells of them. An edit has its payload beside it. */
const redrivesAreRecorded = ofRun(
  'R20',
  'a redrive records who did it and why, and an edit what it put in',
  ({ deliveries, orders }, accuse) => {
    let checked = 0;
    for (const { record, detail } of deliveries.values()) {
      const actions = detail?.actions.filter(makesAGeneration) ?? [];
      if (actions.length > 0) checked += 1;
      const say: Say = (text) => accuse(record.stream, `${record.id} ${text}`);
      for (const action of actions) judgeWords(action, say);
      const edited = actions.filter(({ action }) => action === 'edited').length;
      const kept = detail?.edits?.length ?? 0;
      if (kept !== Math.min(20, edited)) say(`was edited ${edited} times, and keeps ${kept} payloads`);
    }
    for (const order of orders)
      if (order.letters.length > 0) judgeFacts(order, ['DeadLetterRedriven'], (text) => accuse(order.orderId, text));
    return checked;
  },
);

/** Sees discarded deliveries and, of orders, what the stream tells of them. */
const discardsAreFinal = ofRun('R21', 'a discard is explicit, says who did it and why, and is final', ({ deliveries, orders }, accuse) => {
  let checked = 0;
  for (const { record, detail } of deliveries.values()) {
    if (detail === undefined) continue;
    const say: Say = (text) => accuse(record.stream, `${record.id} ${text}`);
    const at = detail.actions.findIndex(({ action }) => action === 'discarded');
    if (at < 0 && record.state !== 'discarded') continue;
    checked += 1;
    if (at < 0) say('is discarded, and nobody did it');
    for (const action of detail.actions) if (action.action === 'discarded') judgeWords(action, say);
    if (at >= 0 && (record.state !== 'discarded' || at < detail.actions.length - 1))
      say(`was discarded, and is ${record.state} after that`);
  }
  for (const order of orders)
    if (order.letters.length > 0) judgeFacts(order, ['DeadLetterDiscarded', 'UndoneByHand'], (text) => accuse(order.orderId, text));
  return checked;
});

/** Sees quiet and settled runs. */
const nothingInFlight = ofDeliveries('R25', 'nothing is in flight once it is quiet', ({ record }, say, { run }) => {
  if (run.stage === 'running') return false;
  if (record.startedAt !== null) say('counts as started');
  return true;
});

/** What is about dead letters and what operators do to them. */
export const letters: readonly Invariant[] = [doneOrDead, oneGeneration, redrivesAreRecorded, discardsAreFinal, nothingInFlight];
