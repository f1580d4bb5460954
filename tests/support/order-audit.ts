import { audit } from '../../src/testing/audit.ts';
import { recordRun } from '../../src/testing/record-run.ts';
import type { Effect, RecordedRun } from '../../src/testing/recorded-run.ts';
import type { Witness } from '../../src/testing/simulation/witness.ts';
import type { OrderScenario } from './order-scenarios.ts';
import { CARD, PASSWORD, type Shop } from './shop.ts';

/** What the shop did, of which payments alone move money. */
const effectsOf = ({ effects }: Shop): readonly Effect[] =>
  [...effects].map(([key, { orderId, amountMinor, at }]) => {
    const [step = '', undo] = key.slice(orderId.length + 1).split(':');
    return { orderId, step, direction: undo === undefined ? 'do' : 'undo', key, amountMinor: step === 'payment' ? amountMinor : null, at };
  });

/** Deadlines by the store's clock, which no process can set. */
const auditDeadlines = ({ events }: Witness, deadlineMs: number | null, wrong: (what: string) => void): void => {
  for (const [stream, told] of events) {
    const passed = told.find(
      ({ type, data }) =>
        type === 'DeadlinePassed' || (type === 'CancellationStarted' && (JSON.parse(data) as { cause: string }).cause === 'deadline'),
    );
    if (passed === undefined) continue;
    if (deadlineMs === null || passed.writtenAt - (told[0]?.writtenAt ?? 0) < deadlineMs)
      wrong(`S18 the deadline of ${stream} came too early`);
  }
};

/** Everything that has to hold of orders once nothing moves any more, and, once `settled`, what has to have become of them. Counts the ends. */
export const auditOrders = async (
  scenario: OrderScenario,
  { witness, shop }: { readonly witness: Witness; readonly shop: Shop },
  placed: readonly { readonly customerId: string; readonly orderId?: string }[],
  wrong: (what: string) => void,
  stage: RecordedRun['stage'],
): Promise<Record<string, number>> => {
  const clockWasSet = scenario.actions.some(({ do: what }) => what === 'wallClock' || what === 'storeClock');
  const run = await recordRun(witness.store, { effects: effectsOf(shop), stage, clockWasSet });
  const known = new Set(placed.map(({ orderId }) => orderId));
  for (const stream of run.streams.keys()) if (!known.has(stream)) wrong(`S25 nobody was told of the order ${stream}`);
  for (const { orderId = '?' } of placed) if (!run.streams.has(orderId)) wrong(`S17 ${orderId} was placed and has no events`);

  for (const { invariant, orderId = '', text } of audit(run).violations) {
    const told = run.streams.get(orderId)?.map(({ type }) => type);
    wrong(`${invariant} ${text} in ${orderId}: ${told?.join(' ')}`);
  }
  auditDeadlines(witness, scenario.deadlineMs, wrong);
  for (const record of run.parked) {
    const text = JSON.stringify(record);
    if (text.includes(PASSWORD) || text.includes(CARD.replaceAll(' ', '')) || text.includes(CARD)) wrong(`R24 ${record.id} keeps a secret`);
    if (text.length > 100_000) wrong(`R24 ${record.id} is ${text.length} characters long`);
  }

  const ends: Record<string, number> = {};
  for (const events of run.streams.values()) {
    const end =
      events
        .find(({ type }) => type === 'OrderConfirmed' || type === 'OrderCancelled')
        ?.type.slice(5)
        .toLowerCase() ?? 'open';
    ends[end] = (ends[end] ?? 0) + 1;
  }
  return ends;
};
