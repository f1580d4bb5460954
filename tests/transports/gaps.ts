import type { TransportGaps } from '../../src/testing/conformance/transport-suite.ts';

/** What the transports of this package do not promise, or what is not tried with them, and why. */
export const IN_MEMORY: TransportGaps = {
  durable: 'its messages are gone with the process',
  restart: 'the broker is this process',
  outage: 'the broker is this process',
};

/** Where the broker is the tests' own and may be restarted. */
export const OWN_RABBITMQ: TransportGaps = {
  deduplicates: 'it keeps no ids',
  replays: 'its queues hold what comes after they were made',
};

export const RABBITMQ: TransportGaps = { ...OWN_RABBITMQ, restart: 'the server is shared' };
