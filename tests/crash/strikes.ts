import { seeded } from '../../src/core/seeded.ts';
import type { Behaviour } from '../support/payment-server.ts';
import type { BrokerStrike } from './broker/broker-strikes.ts';
import { MOMENTS, type Moment } from './harm/harm.ts';

/** One thing that goes wrong. `who` is a worker's number; without one, it is the API. */
export type Strike =
  | BrokerStrike
  | { readonly kind: 'kill API' | 'kill all' | 'operator' | 'redrive in an outage' | 'late subscription' }
  | { readonly kind: 'kill worker' | 'restart worker' | 'redrive while draining'; readonly who: number }
  | { readonly kind: 'kill'; readonly who?: number; readonly at: Moment; readonly after: number }
  | { readonly kind: 'freeze worker' | 'block worker' | 'hang worker'; readonly who: number; readonly forMs: number }
  | { readonly kind: 'flap worker'; readonly who: number; readonly times: number; readonly everyMs: number }
  | { readonly kind: 'lock file' | 'hold a snapshot' | 'disk full' | 'read-only'; readonly forMs: number }
  | { readonly kind: 'services'; readonly what: string; readonly forMs: number; readonly behaviour: Partial<Behaviour> };

export interface PlannedStrike {
  /** After the end of the one before, of its sort. */
  readonly gapMs: number;
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

type Card = Exclude<Strike['kind'], 'kill' | 'late subscription' | BrokerStrike['kind']> | `kill ${'worker' | 'API'} ${Moment}`;

/** Each as often as it stands here before any comes again. Of an API, a commit is all there is. */
const DECK: readonly Card[] = [
  ...MOMENTS.map((at): Card => `kill worker ${at}`),
  'kill API before a commit',
  'kill API after a commit',
  ...Array<Card>(2).fill('kill worker'),
  'kill API',
  'kill all',
  'freeze worker',
  'block worker',
  'hang worker',
  'restart worker',
  'flap worker',
  ...Array<Card>(BAD_SERVICES.length).fill('services'),
  'lock file',
  'hold a snapshot',
  'disk full',
  'read-only',
  'operator',
  'redrive while draining',
  'redrive in an outage',
];

const GAP_MS = { least: 200, most: 700 } as const;
const FLAPS = { times: 3, everyMs: 2000 } as const;

/** What strikes after what, at least so many. The same seed gives the same plan. */
export const planStrikes = (seed: number, strikes: number, workers: number, leaseMs: number): readonly PlannedStrike[] => {
  const random = seeded(seed);
  const between = (from: number, to: number): number => Math.round(from + random() * (to - from));
  const shuffled = <T>(cards: readonly T[]): T[] => {
    const left = [...cards];
    return cards.map(() => left.splice(Math.floor(random() * left.length), 1)[0] as T);
  };
  let moods: (typeof BAD_SERVICES)[number][] = [];
  const strikeOf = (kind: Card): Strike => {
    const who = Math.floor(random() * workers);
    switch (kind) {
      case 'kill worker':
      case 'restart worker':
      case 'redrive while draining':
        return { kind, who };
      case 'freeze worker':
      case 'block worker':
      case 'hang worker':
        return { kind, who, forMs: between(leaseMs * 1.1, leaseMs * 1.5) };
      case 'flap worker':
        return { kind, who, ...FLAPS };
      case 'lock file':
      case 'disk full':
      case 'read-only':
        return { kind, forMs: between(500, 2000) };
      case 'hold a snapshot':
        return { kind, forMs: between(2000, 5000) };
      case 'services': {
        if (moods.length === 0) moods = shuffled(BAD_SERVICES);
        return { kind, ...(moods.pop() as (typeof BAD_SERVICES)[number]), forMs: between(800, 2000) };
      }
      case 'kill API':
      case 'kill all':
      case 'operator':
      case 'redrive in an outage':
        return { kind };
      default: {
        const [, whose, at] = /^kill (worker|API) (.*)$/.exec(kind) as unknown as readonly [string, string, Moment];
        return { kind: 'kill', at, after: between(0, 4), ...(whose === 'worker' && { who }) };
      }
    }
  };
  const plan: PlannedStrike[] = [];
  for (let decks = 0; plan.length < strikes; decks += 1) {
    const hand = shuffled(DECK).map(strikeOf);
    if (decks === 0) hand.splice(Math.floor(hand.length / 2), 0, { kind: 'late subscription' });
    plan.push(...hand.map((strike) => ({ gapMs: between(GAP_MS.least, GAP_MS.most), strike })));
  }
  return plan;
};
