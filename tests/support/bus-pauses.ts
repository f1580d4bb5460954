import type { Pause } from '../../src/core/records.ts';
import type { BusTarget, Pausing } from '../../src/runtime/pausing.ts';
import type { Process } from '../../src/testing/simulation/process.ts';
import type { Witness } from '../../src/testing/simulation/witness.ts';
import type { PauseAction, SubscriptionName } from './bus-scenarios.ts';

const audit = { by: 'op', reason: 'test' };

/** `subscription/…` or `stream/…`. */
const busTarget = (target: string): BusTarget => {
  const [of, name = ''] = target.split('/');
  return of === 'stream' ? { stream: name } : { subscription: name };
};

/** What operators have wait in a world, and who knows it for sure. */
export interface WorldPauses {
  act(action: PauseAction, process: Process, bus: Pausing<BusTarget>): void;
  /** What the start of a delivery does wrong: its process had been told, and nobody has asked to resume since. */
  judgeStart(process: Process, subscription: SubscriptionName, stream: string): string | undefined;
  /** Asks to resume everything that is paused now. */
  resumeAll(bus: Pausing<BusTarget>): Promise<void>;
}

export const createWorldPauses = (witness: Witness, tell: (line: string) => void): WorldPauses => {
  /** Targets that a process was told are paused. */
  const heeded = new Map<Process, Set<string>>();
  /** How often it was asked to resume a target, and how often of these nobody knows yet what became of it. */
  const asked = new Map<string, number>();
  const open = new Map<string, number>();
  const count = (counts: Map<string, number>, target: string, by: number): void => void counts.set(target, (counts.get(target) ?? 0) + by);

  const resume = (target: string, bus: Pausing<BusTarget>): void => {
    for (const targets of heeded.values()) targets.delete(target);
    count(asked, target, 1);
    count(open, target, 1);
    bus.resume(busTarget(target), audit).then(
      () => count(open, target, -1),
      (error: unknown) => {
        count(open, target, -1);
        tell(`resume ${target}: ${String(error)}`);
      },
    );
  };

  const pause = (target: string, process: Process, bus: Pausing<BusTarget>): void => {
    const before = asked.get(target) ?? 0;
    bus.pause(busTarget(target), audit).then(
      () => {
        if ((asked.get(target) ?? 0) !== before || (open.get(target) ?? 0) > 0) return;
        heeded.set(process, (heeded.get(process) ?? new Set()).add(target));
      },
      (error: unknown) => tell(`pause ${target}: ${String(error)}`),
    );
  };

  return {
    act({ do: how, target }, process, bus) {
      if (how === 'pause') pause(target, process, bus);
      else resume(target, bus);
    },
    judgeStart(process, subscription, stream) {
      // A batch that fails goes on in ever smaller ones, whatever is told to wait meanwhile.
      if (subscription === 'viewing') return undefined;
      const known = heeded.get(process);
      const target = [`subscription/${subscription}`, `stream/${stream}`].find((one) => known?.has(one));
      return target === undefined
        ? undefined
        : `${subscription} of ${stream} starts in ${process.name}, which knows that ${target} is paused`;
    },
    async resumeAll(bus) {
      for (const { of, name } of (await witness.store.pauses()) as readonly Pause[]) resume(`${of}/${name}`, bus);
    },
  };
};
