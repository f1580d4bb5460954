import { seeded } from '../../src/core/seeded.ts';
import type { Behaviour } from '../support/payment-server.ts';

/** One thing that goes wrong. `who` is a worker's number. */
export type Strike =
  | { readonly kind: 'kill API' | 'kill all' | 'operator' }
  | { readonly kind: 'kill worker' | 'restart worker'; readonly who: number }
  | { readonly kind: 'freeze worker'; readonly who: number; readonly forMs: number }
  | { readonly kind: 'lock file'; readonly forMs: number }
  | { readonly kind: 'services'; readonly what: string; readonly forMs: number; readonly behaviour: Partial<Behaviour> };

export interface PlannedStrike {
  readonly atMs: number;
  readonly strike: Strike;
}

/** How services behave badly beyond what they always do, one at a time. */
const BAD_SERVICES: readonly { readonly what: string; readonly behaviour: Partial<Behaviour> }[] = [
  { what: 'lose half of their replies', behaviour: { lostReplyRate: 0.5 } },
  { what: 'act and fall silent', behaviour: { silenceRate: 0.4 } },
  // Beyond the clients' patience, but within the time a step may take: it happens after everybody has given up on it.
  { what: 'act too late', behaviour: { delayMs: 1300, delayRate: 0.5 } },
  { what: 'are gone', behaviour: { down: true } },
  { what: 'are overrun', behaviour: { limitRate: 0.8 } },
  { what: 'fail nearly always', behaviour: { failureRate: 0.9 } },
];

/** Each as often as it stands here before any comes again. */
const DECK = [
  ...Array<'kill worker'>(5).fill('kill worker'),
  ...Array<'kill API'>(3).fill('kill API'),
  'kill all',
  'freeze worker',
  'restart worker',
  ...Array<'services'>(BAD_SERVICES.length).fill('services'),
  'lock file',
  ...Array<'operator'>(3).fill('operator'),
] as const;

const GAP_MS = { least: 150, most: 900 } as const;

/** What strikes when in a run of so long. The same seed gives the same plan. */
export const planStrikes = (seed: number, forMs: number, workers: number, leaseMs: number): readonly PlannedStrike[] => {
  const random = seeded(seed);
  const between = (from: number, to: number): number => Math.round(from + random() * (to - from));
  const shuffled = <T>(cards: readonly T[]): T[] => {
    const left = [...cards];
    return cards.map(() => left.splice(Math.floor(random() * left.length), 1)[0] as T);
  };
  let moods: (typeof BAD_SERVICES)[number][] = [];
  const strikeOf = (kind: (typeof DECK)[number]): Strike => {
    const who = Math.floor(random() * workers);
    switch (kind) {
      case 'kill worker':
      case 'restart worker':
        return { kind, who };
      case 'freeze worker':
        return { kind, who, forMs: between(leaseMs, leaseMs * 1.6) };
      case 'lock file':
        return { kind, forMs: between(500, 2500) };
      case 'services': {
        if (moods.length === 0) moods = shuffled(BAD_SERVICES);
        return { kind, ...(moods.pop() as (typeof BAD_SERVICES)[number]), forMs: between(800, 2000) };
      }
      default:
        return { kind };
    }
  };
  const plan: PlannedStrike[] = [];
  let deck: (typeof DECK)[number][] = [];
  for (let atMs = between(300, 600); atMs < forMs; atMs += between(GAP_MS.least, GAP_MS.most)) {
    if (deck.length === 0) deck = shuffled(DECK);
    plan.push({ atMs, strike: strikeOf(deck.pop() as (typeof DECK)[number]) });
  }
  return plan;
};
