import type { Harm, HarmMessage, Moment } from './harm.ts';
import { happened } from './harm.ts';

type Of<Kind extends Harm['kind']> = Extract<Harm, { readonly kind: Kind }>;

let aim: { readonly at: Moment; after: number } | undefined;
let stun: Of<'block' | 'hang'> | undefined;
const listeners = new Set<(harm: Harm) => void>();

/** Dies here if it has been told to. */
export const pass = (moment: Moment): void => {
  if (aim?.at !== moment) return;
  aim.after -= 1;
  if (aim.after >= 0) return;
  happened(`killed ${moment}`);
  process.kill(process.pid, 'SIGKILL');
};

/** How the call that has just been answered is to be held up, told once. The parent hears `struck` first. */
export const heldUp = async (): Promise<Of<'block' | 'hang'> | undefined> => {
  const now = stun;
  stun = undefined;
  if (now !== undefined) await new Promise((resolve) => process.send?.('struck', undefined, undefined, resolve));
  return now;
};

export const onHarm = (listener: (harm: Harm) => void): void => void listeners.add(listener);

process.on('message', (message) => {
  const { harm } = (message ?? {}) as Partial<HarmMessage>;
  if (harm === undefined) return;
  if (harm.kind === 'kill') aim = { at: harm.at, after: harm.after };
  if (harm.kind === 'block' || harm.kind === 'hang') stun = harm;
  if (harm.kind === 'spare') {
    aim = undefined;
    process.send?.('spared', undefined, undefined, () => undefined);
  }
  for (const listener of listeners) listener(harm);
});
