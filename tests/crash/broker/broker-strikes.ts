import { seeded } from '../../../src/core/seeded.ts';
import type { PlannedStrike } from '../strikes.ts';

/** What goes wrong with a broker or on the way to it. */
export type BrokerStrike =
  | { readonly kind: 'reset link' | 'kill broker' }
  | { readonly kind: 'cut link' | 'half-open link' | 'slow link with resets' | 'detour'; readonly forMs: number }
  | { readonly kind: 'broker down' | 'wrong password' | 'full broker'; readonly forMs: number };

type Kind = BrokerStrike['kind'];

/** With any broker. */
const ON_THE_WAY: readonly Kind[] = ['cut link', 'half-open link', 'slow link with resets', 'reset link', 'detour'];
/** Only with one that nobody else uses. */
const AT_THE_BROKER: readonly Kind[] = ['kill broker', 'broker down', 'wrong password', 'full broker'];

const GAP_MS = { least: 200, most: 700 } as const;
const DOWN_MS = 30_000;

/** So many rounds, in each of which every kind strikes once. The same seed gives the same plan. */
export const planBrokerStrikes = (seed: number, rounds: number, isOwn: boolean): readonly (readonly PlannedStrike[])[] => {
  const random = seeded(seed);
  const between = (from: number, to: number): number => Math.round(from + random() * (to - from));
  const strikeOf = (kind: Kind): BrokerStrike => {
    switch (kind) {
      case 'reset link':
      case 'kill broker':
        return { kind };
      case 'cut link':
      case 'full broker':
        return { kind, forMs: between(1500, 4000) };
      case 'slow link with resets':
        return { kind, forMs: between(3000, 5000) };
      // Longer or shorter than it takes until a transport gives its connection up.
      case 'half-open link':
        return { kind, forMs: between(5000, 16_000) };
      case 'wrong password':
        return { kind, forMs: between(3000, 6000) };
      case 'broker down':
        return { kind, forMs: DOWN_MS };
      case 'detour':
        return { kind, forMs: between(8000, 15_000) };
    }
  };
  const kinds = isOwn ? [...ON_THE_WAY, ...AT_THE_BROKER] : ON_THE_WAY;
  const round = (): readonly PlannedStrike[] => {
    const left = [...kinds];
    const drawn = (): Kind => left.splice(Math.floor(random() * left.length), 1)[0] as Kind;
    return kinds.map(() => ({ gapMs: between(GAP_MS.least, GAP_MS.most), strike: strikeOf(drawn()) }));
  };
  return Array.from({ length: rounds }, round);
};
