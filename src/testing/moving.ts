import type { VirtualSystem } from './virtual-system.ts';

const isRecord = (value: unknown): value is Readonly<Record<string | symbol, unknown>> => typeof value === 'object' && value !== null;

/**
 * The same object, whose promises bring the time they need with them: each call moves virtual time until its promise settles, so that a plain
 * `await` does. Time does not move for what settles without it. Goes into members that are objects of methods.
 */
export const moving = <T extends object>(of: T, system: VirtualSystem): T => {
  const moved: Record<string | symbol, unknown> = {};
  for (const key of Reflect.ownKeys(of)) {
    const member = (of as Readonly<Record<string | symbol, unknown>>)[key];
    if (typeof member === 'function') {
      moved[key] = (...given: readonly unknown[]): unknown => {
        const answer: unknown = Reflect.apply(member, of, given);
        return answer instanceof Promise ? system.run(answer) : answer;
      };
    } else moved[key] = isRecord(member) && !Array.isArray(member) ? moving(member, system) : member;
  }
  return Object.freeze(moved) as T;
};
