import { RELAY } from '../../../src/runtime/subscription-name.ts';
import type { Heard } from '../broker/listener.ts';
import type { Evidence, Notes } from '../evidence.ts';
import type { Recorded } from './recorded.ts';

/** What came through a broker, if there was one, against what is in the file. */
export const auditBroker = ({ broker }: Evidence, { orders, counts }: Recorded, { look, fault }: Notes): void => {
  if (broker === undefined) return;
  const all = 'another service has heard of every event through the broker';
  const inOrder = 'another service heard of the events of a stream in order';
  for (const { row, events } of orders) {
    const heard: readonly Heard[] = broker.heard.get(row.stream) ?? [];
    const types = new Map(heard.map(({ version, type }) => [version, type]));
    for (const { version, type } of events) {
      look(all);
      if (types.get(version) !== type) fault(all, `${type} at ${version} was heard of as ${types.get(version)}`, row.stream);
    }
    if (heard.length > events.length) fault(all, `${heard.length} events were heard of, and there are ${events.length}`, row.stream);
    look(inOrder);
    const at = heard.findIndex(({ version }, index) => index > 0 && version < (heard[index - 1]?.version ?? 0));
    if (at >= 0) fault(inOrder, `${heard[at]?.version} came after ${heard[at - 1]?.version}`, row.stream);
  }

  const relay = 'the relay has published all there is';
  look(relay);
  const { backlog, scheduled, dead } = counts.subscriptions[RELAY] ?? { backlog: Number.NaN, scheduled: 0, dead: 0 };
  if (backlog + scheduled + dead !== 0) fault(relay, `backlog ${backlog}, scheduled ${scheduled}, dead ${dead}`);

  const empty = 'no message is left with the broker';
  look(empty);
  for (const [queue, howMany] of Object.entries(broker.waiting)) fault(empty, `${howMany} wait in ${queue}`);
};
