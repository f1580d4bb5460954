import { setTimeout as sleep } from 'node:timers/promises';
import { type Struckable, strikeOnce } from './strike-once.ts';
import type { PlannedStrike, Strike } from './strikes.ts';

export interface Struck {
  /** How often each kind really struck, as far as it shows from outside; what a process suffers, it takes down itself. */
  readonly counts: Readonly<Record<string, number>>;
  /** What the producer showed of dead letters, timelines and metrics meanwhile. */
  readonly shown: readonly string[];
}

/** What does not strike the processes themselves. */
const AROUND: ReadonlySet<Strike['kind']> = new Set<Strike['kind']>([
  'services',
  'lock file',
  'hold a snapshot',
  'disk full',
  'read-only',
  'operator',
  'redrive in an outage',
  'redrive while draining',
  'late subscription',
]);
/** What takes so long that others strike meanwhile. */
const LASTING: ReadonlySet<Strike['kind']> = new Set<Strike['kind']>([
  'flap worker',
  'freeze worker',
  'block worker',
  'hang worker',
  'hold a snapshot',
  'late subscription',
  'detour',
]);

/** What a strike counts as. */
const kindOf = (strike: Strike): string => {
  if (strike.kind === 'services') return `services ${strike.what}`;
  return strike.kind === 'kill' ? `kill ${strike.who === undefined ? 'API' : 'worker'} ${strike.at}` : strike.kind;
};

const inWords = (strike: Strike): string => {
  const which = 'who' in strike ? `, worker ${(strike.who ?? 0) + 1}` : '';
  return `${kindOf(strike)}${which}${'forMs' in strike ? ` for ${strike.forMs} ms` : ''}`;
};

/** What strikes a broker, for as long as the rest does, and at least so many of it. */
export interface AtTheBroker {
  readonly plan: readonly PlannedStrike[];
  readonly least: number;
}

/**
 * Carries out the plans for so long: what strikes processes one after the other, so that most of them work most of the time, and beside it,
 * one after the other too, what strikes what is around them, and what strikes the broker. Resolves when the last strike is over.
 */
export const strikeAll = async (
  plan: readonly PlannedStrike[],
  atTheBroker: AtTheBroker,
  forMs: number,
  { say, ...struck }: Omit<Struckable, 'shown'> & { readonly say: (text: string) => void },
): Promise<Struck> => {
  const counts: Record<string, number> = {};
  const shown: string[] = [];
  const end = performance.now() + forMs;
  /** The others go on until as many have struck the broker as had to. */
  let brokerLeft = atTheBroker.least;

  const strikeNow = async (strike: Strike): Promise<void> => {
    const kind = kindOf(strike);
    say(inWords(strike));
    counts[kind] ??= 0;
    const hit = await strikeOnce(strike, { ...struck, shown }).catch((error: unknown) => {
      say(`${kind} came to nothing: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
      return false;
    });
    counts[kind] += hit ? 1 : 0;
  };

  const strikeInTurn = async (planned: readonly PlannedStrike[], began = (): void => undefined): Promise<void> => {
    const lasting: Promise<void>[] = [];
    for (const { gapMs, strike } of planned) {
      await sleep(gapMs);
      if (performance.now() > end && brokerLeft <= 0) break;
      began();
      const over = strikeNow(strike);
      if (LASTING.has(strike.kind)) lasting.push(over);
      else await over;
    }
    await Promise.all(lasting);
  };

  const isAround = ({ strike }: PlannedStrike): boolean => AROUND.has(strike.kind);
  await Promise.all([
    strikeInTurn(plan.filter(isAround)),
    strikeInTurn(plan.filter((one) => !isAround(one))),
    strikeInTurn(atTheBroker.plan, () => {
      brokerLeft -= 1;
    }),
  ]);
  return { counts, shown };
};
