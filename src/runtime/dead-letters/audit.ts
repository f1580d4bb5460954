import { resolveOptions, text } from '../../core/options.ts';

/** Who does something to a dead letter, and why. */
export interface Audit {
  readonly by: string;
  readonly reason: string;
}

/** @throws `CONFIG` where it does not say both */
export const auditOf = (what: string, given: Audit): Audit =>
  resolveOptions(`DeadLetterStore: ${what}`, given, { by: text({ max: 200 }), reason: text({ max: 1000 }) });
