export { audit, type Audited, invariants } from './audit.ts';
export { arbitraries } from './arbitraries.ts';
export { recordRun } from './record-run.ts';
export type { Effect, Invariant, RecordedRun, Violation } from './recorded-run.ts';
export type { Faults } from './simulation/faults.ts';
export type { Outside } from './simulation/outside.ts';
export type { SimulationPlan } from './simulation/plan.ts';
export { simulate, SimulationFailed, type SimulateOptions, type SimulationReport, type Span } from './simulation/simulate.ts';
export { type VirtualSystem, virtualSystem, type VirtualSystemOptions } from './virtual-system.ts';
