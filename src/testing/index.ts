export { arbitraries } from './arbitraries.ts';
export { type Audited, audit, invariants } from './audit.ts';
export { recordRun } from './record-run.ts';
export type { Effect, Invariant, RecordedRun, Violation } from './recorded-run.ts';
export type { Faults } from './simulation/faults.ts';
export type { Outside } from './simulation/outside.ts';
export type { SimulationPlan } from './simulation/plan.ts';
export { type SimulateOptions, SimulationFailed, type SimulationReport, type Span, simulate } from './simulation/simulate.ts';
export { type VirtualSystem, type VirtualSystemOptions, virtualSystem } from './virtual-system.ts';
