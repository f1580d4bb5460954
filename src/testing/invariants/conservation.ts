import type { Invariant } from '../recorded-run.ts';
import type { DeliveryEvidence } from './delivery-evidence.ts';
import type { Evidence } from './evidence.ts';
import { ofDeliveries, type Say } from './judged.ts';

const judgeEvent = ({ record }: DeliveryEvidence, { run }: Evidence, say: Say): void => {
  if (record.kind !== 'delivery') return;
  const events = run.streams.get(record.stream);
  const guess = events?.[record.version - 1];
  const event = guess?.version === record.version ? guess : events?.find(({ version }) => version === record.version);
  if (event === undefined) say('stands for an event that is not there');
  else if (event.type !== record.type || event.shard !== record.shard || event.position !== record.position)
    say(
      `stands for ${record.type} at position ${record.position} of shard ${record.shard}, and ${event.type} is at ${event.position} of ${event.shard}`,
    );
};

/**
 * Sees every parked delivery: that its event is there, that its record is whole, and once the run is settled that it is closed. What was
 * never parked leaves no trace in a store, so of the rest the answers in orders' streams tell (S10).
 */
const conserved = ofDeliveries(
  'R1',
  'an accepted event is done, dead, parked or in flight for a subscription, and never lost',
  (delivery, say, evidence) => {
    const { record, isOpen, detail } = delivery;
    judgeEvent(delivery, evidence, say);
    if (detail === undefined) say('has a detail that can not be read');
    if (isOpen === (record.closedAt !== null)) say(`is ${record.state}, and ${isOpen ? 'counts as closed' : 'was never closed'}`);
    if (record.state === 'dead' && record.deadAt === null) say('is dead since never');
    if (evidence.run.stage === 'settled' && isOpen && record.kind === 'delivery') say(`is ${record.state} at the end`);
    return true;
  },
);

/** What is about not losing anything. */
export const conservation: readonly Invariant[] = [conserved];
