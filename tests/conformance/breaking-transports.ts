import type { Transport } from '../../src/core/transport.ts';
import { virtualSystem } from '../../src/testing/virtual-system.ts';
import { createMemoryTransport, type MemoryTransportOptions } from '../../src/transports/memory/memory-transport.ts';

/** A transport that breaks one promise, and the cases that have to notice. */
export interface BrokenTransport {
  readonly does: string;
  /** A broker; it gives connections. */
  readonly make: () => () => Transport;
  /** A part of the title of each case that has to fail; others may. */
  readonly fails: readonly string[];
}

/** What a connection does otherwise than that of a memory transport. */
export type Change = (inner: Transport) => Partial<Transport>;

/** Connections that share what `make` made for their broker. */
export const over = (make: () => Change, options?: MemoryTransportOptions) => (): (() => Transport) => {
  const first = createMemoryTransport(virtualSystem(), options);
  const change = make();
  return () => {
    const inner = first.another();
    return { ...inner, ...change(inner) };
  };
};

export const but = (change: Change, options?: MemoryTransportOptions) => over(() => change, options);
