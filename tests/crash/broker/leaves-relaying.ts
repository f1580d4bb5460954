// A worker that leaves publishing to the others. Who publishes an event has read it, and what the broker then brings of it is no news there.
import { rewrite } from '../rewrite.ts';

rewrite('/src/runtime/create-event-bus.ts', {
  'subscriptions: [...subscriptions.values()], owner':
    'subscriptions: [...subscriptions.values()].filter(({ name }) => name !== RELAY), owner',
});
