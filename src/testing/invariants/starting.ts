import type { Invariant } from '../recorded-run.ts';
import { ofOrders } from './judged.ts';
import { firstOf, hadBefore } from './order-evidence.ts';

/** Sees the stream of every order. A waived step counts as succeeded: the order goes on without its result. */
const afterWhatItWaitsFor = ofOrders('S5', 'a step never starts before everything it runs after has succeeded', ({ steps }, say) => {
  for (const [name, step] of steps) {
    const requested = firstOf(step, 'Requested');
    if (requested === undefined) continue;
    for (const earlier of step.planned.after)
      if (!hadBefore(steps.get(earlier), requested.version, 'Succeeded', 'StepWaived'))
        say(`${name} was requested before ${earlier} succeeded`);
  }
  return true;
});

/** Sees the stream of every order. */
const nothingAfterACancel = ofOrders(
  'S6',
  'a step starts once, none starts after a cancellation, and nothing is cancelled past the point of no return',
  ({ steps, facts, cancelled }, say) => {
    for (const [name, step] of steps) {
      let requests = 0;
      for (const { kind, version } of step.facts) {
        if (kind !== 'Requested') continue;
        requests += 1;
        if (cancelled !== undefined && version > cancelled.version) say(`${name} was requested after the cancellation`);
      }
      if (requests > 1) say(`${name} was requested ${requests} times`);
      if (cancelled === undefined || step.planned.undo !== 'irreversible') continue;
      const { version } = cancelled;
      if (hadBefore(step, version, 'Requested') && !hadBefore(step, version, 'Refused'))
        say(`it was cancelled although ${name}, which cannot be taken back, was requested`);
    }
    if (cancelled !== undefined) {
      const times = facts.filter(({ kind }) => kind === 'CancellationStarted').length;
      if (times > 1) say(`its cancellation started ${times} times`);
    }
    return true;
  },
);

/** What is about how steps start. */
export const starting: readonly Invariant[] = [afterWhatItWaitsFor, nothingAfterACancel];
