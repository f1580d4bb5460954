import { serve } from './children.ts';
import { EventBus, sqliteStore } from './orderfold.ts';
import { machineMs } from './pauses.ts';

// The other process: handles what is appended to these files and tells when it began to.
const buses = process.argv.slice(2).map((path) => {
  const bus = EventBus.create({ store: sqliteStore({ path }) });
  bus.subscribe('far', { on: { Tick: async ({ data }) => void process.send?.({ tick: data, atMs: machineMs() }) } });
  return bus;
});
for (const bus of buses) await bus.start();

serve(
  () => {},
  () => Promise.all(buses.map((bus) => bus.close())),
);
