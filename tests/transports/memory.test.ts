import { describe, it } from 'vitest';
import { transportSuite } from '../../src/testing/conformance/transport-suite.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';
import { createMemoryTransport } from '../../src/transports/memory/memory-transport.ts';

transportSuite(
  { describe, it },
  'memory',
  async () => {
    const transport = createMemoryTransport(virtualSystem());
    return { transport, another: async () => transport.another(), close: () => transport.close() };
  },
  { durable: 'its messages are gone with the process', restart: 'the broker is this process' },
);
