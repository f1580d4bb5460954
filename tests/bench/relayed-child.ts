import { brokerUrl } from './broker.ts';
import { serve } from './children.ts';
import { EventBus, rabbitmqTransport, sqliteStore } from './orderfold.ts';
import { machineMs } from './pauses.ts';
import { countingReads, withoutRelay } from './relaying.ts';

/** What the worker tells of each event: when its handler began, and how often this process had read the log by then. */
export interface Begun {
  readonly tick: number;
  readonly atMs: number;
  readonly reads: number;
}

// One of the processes between an append and its handler: publishes what is in these files, or handles what the broker brings.
const [role = '', ...places] = process.argv.slice(2);

const buses = places.map((place) => {
  const [path = '', topic = ''] = place.split('|');
  const transport = rabbitmqTransport({ url: brokerUrl, topic });
  const store = sqliteStore({ path });
  if (role === 'relay') return EventBus.create({ store, transport });
  const reading = countingReads(withoutRelay(store));
  const bus = EventBus.create({ store: reading.store, transport });
  bus.subscribe('far', {
    on: {
      Tick: async ({ data }) => {
        const begun: Begun = { tick: data as number, atMs: machineMs(), reads: reading.reads() };
        process.send?.(begun);
      },
    },
  });
  return bus;
});
for (const bus of buses) await bus.start({ sweepMs: 3_600_000 });

serve(
  () => {},
  () => Promise.all(buses.map((bus) => bus.close())),
);
