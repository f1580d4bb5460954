import type { System } from '../core/system.ts';
import type { Transport } from '../core/transport.ts';
import { createMemoryTransport, type MemoryTransportOptions } from '../transports/memory/memory-transport.ts';

/** The reference transport: messages in this process's memory, gone with it. @see Transport */
export const memoryTransport = (system: System, options?: MemoryTransportOptions): Transport => createMemoryTransport(system, options);

export { OrderfoldError } from '../core/errors.ts';
export type { KeyClaim, ParkedDelivery, ParkedWrite, StoredEvent, StreamRow } from '../core/records.ts';
export type {
  Batch,
  BatchResult,
  Lease,
  LeaseRef,
  Store,
  Tick,
  TickResult,
  Unit,
  UnitResult,
} from '../core/store.ts';
export type { System } from '../core/system.ts';
export { LARGEST_BATCH, type Message, type Received, type Transport, type TransportCapabilities } from '../core/transport.ts';
export { type Arbitraries, arbitraries } from './arbitraries.ts';
export { type Audited, audit, invariants } from './audit.ts';
export type { Runner } from './conformance/runner.ts';
export { type StoreGaps, type StoreSubject, storeSuite, type TestSystem, writeOlderData } from './conformance/store-suite.ts';
export { type TransportGaps, type TransportSubject, transportSuite } from './conformance/transport-suite.ts';
export { type Decider, given } from './given.ts';
export type { Left } from './left.ts';
export { recordRun } from './record-run.ts';
export type { Effect, Invariant, RecordedRun, Violation } from './recorded-run.ts';
export { SimulationFailed } from './simulation/failure.ts';
export type { Faults } from './simulation/faults.ts';
export type { SimulateOptions, Span } from './simulation/options.ts';
export type { Outside } from './simulation/outside.ts';
export type { SimulationPlan } from './simulation/plan.ts';
export { type SimulationReport, simulate } from './simulation/simulate.ts';
export { type TestApp, type TestAppOptions, type TestBus, testApp, testBus } from './test-app.ts';
export { type VirtualSystem, type VirtualSystemOptions, virtualSystem } from './virtual-system.ts';
