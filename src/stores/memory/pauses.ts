import type { Pause, PauseTarget, PauseWrite } from '../../core/records.ts';

/** What operators have wait, and had. */
export const memoryPauses = () => {
  let all: Pause[] = [];
  const isOpen = (target: PauseTarget, pause: Pause): boolean =>
    pause.resumed === null && pause.of === target.of && pause.name === target.name;

  return {
    isPaused: (of: PauseTarget['of'], name: string): boolean => all.some((pause) => isOpen({ of, name }, pause)),
    pause({ of, name, by, reason }: PauseWrite, now: number): void {
      if (!all.some((pause) => isOpen({ of, name }, pause))) all.push({ of, name, by, reason, at: now, resumed: null });
    },
    resume({ by, reason, ...target }: PauseWrite, now: number): void {
      all = all.map((pause) => (isOpen(target, pause) ? { ...pause, resumed: { at: now, by, reason } } : pause));
    },
    open: (): readonly Pause[] => all.filter(({ resumed }) => resumed === null),
    ofStream: (stream: string): readonly Pause[] => all.filter(({ of, name }) => of === 'stream' && name === stream),
  };
};
