import { resolveOptions, text } from '../../core/options.ts';

/** Who does something, and why. */
export interface Audit {
  readonly by: string;
  readonly reason: string;
}

/** @throws `CONFIG` where it does not say both */
export const auditOf = (where: string, given: Audit): Audit =>
  resolveOptions(where, given, { by: text({ max: 200 }), reason: text({ max: 1000 }) });
