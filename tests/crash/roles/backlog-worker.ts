import { EventBus } from '../../../src/index.ts';
import { sqliteStore } from '../../../src/stores/sqlite/index.ts';
import { type Counted, counted, type Numbers, VIEWS } from '../backlog.ts';
import { LEASE_MS, told, work } from './role.ts';

const bus = EventBus.create<Numbers>({ store: sqliteStore({ path: told('DATABASE') }) });
for (const view of VIEWS) bus.project<Counted>(view, counted);
await work({ start: () => bus.start({ leaseMs: 4 * LEASE_MS }), close: bus.close, on: bus.on });
