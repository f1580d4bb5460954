// A relay that says of every twentieth event that it is published, and does not publish it.
import { rewrite } from '../rewrite.ts';

rewrite('/src/runtime/relay.ts', {
  'publish(events.map(':
    'publish(events.filter(() => { globalThis.relayed = (globalThis.relayed ?? 0) + 1; return globalThis.relayed % 20 !== 0; }).map(',
});
