/** Starts lost before a delivery is tried alone. */
export const STARTS_BEFORE_TRIAL = 2;

/** Lets suspects run together, but a delivery on trial only when no other suspect runs, and one trial at a time. */
export interface Trials {
  /** Resolves when a delivery with this many lost starts may run; call what it resolves with when it has ended. */
  enter(lostStarts: number): Promise<() => void>;
}

export const createTrials = (): Trials => {
  let suspects = 0;
  let onTrial = false;
  let waiting: { readonly trial: boolean; readonly go: () => void }[] = [];

  /** Trials last: each holds up all others. */
  const letIn = (): void => {
    const still: typeof waiting = [];
    for (const one of [...waiting.filter(({ trial }) => !trial), ...waiting.filter(({ trial }) => trial)]) {
      if (onTrial || (one.trial && suspects > 0)) still.push(one);
      else {
        if (one.trial) onTrial = true;
        suspects += 1;
        one.go();
      }
    }
    waiting = still;
  };

  return {
    enter: (lostStarts) =>
      new Promise((resolve) => {
        const trial = lostStarts >= STARTS_BEFORE_TRIAL;
        const leave = (): void => {
          suspects -= 1;
          if (trial) onTrial = false;
          letIn();
        };
        waiting.push({ trial, go: () => resolve(leave) });
        letIn();
      }),
  };
};
