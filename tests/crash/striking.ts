import { setTimeout as sleep } from 'node:timers/promises';
import type { CarelessServices } from './careless-services.ts';
import type { RunningShop } from './running-shop.ts';
import { strikeOnce } from './strike-once.ts';
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

/**
 * Carries out the plan for so long: what strikes processes one after the other, so that most of them work most of the time, and beside it,
 * one after the other too, what strikes what is around them. Resolves when the last strike is over.
 */
export const strikeAll = async (
  plan: readonly PlannedStrike[],
  forMs: number,
  { shop, services, say }: { readonly shop: RunningShop; readonly services: CarelessServices; readonly say: (text: string) => void },
): Promise<Struck> => {
  const counts: Record<string, number> = {};
  const shown: string[] = [];
  const end = performance.now() + forMs;

  const strikeNow = async (strike: Strike): Promise<void> => {
    const kind = kindOf(strike);
    say(inWords(strike));
    counts[kind] ??= 0;
    const hit = await strikeOnce(strike, { shop, services, shown }).catch((error: unknown) => {
      say(`${kind} came to nothing: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
      return false;
    });
    counts[kind] += hit ? 1 : 0;
  };

  const strikeInTurn = async (planned: readonly PlannedStrike[]): Promise<void> => {
    const lasting: Promise<void>[] = [];
    for (const { gapMs, strike } of planned) {
      await sleep(gapMs);
      if (performance.now() > end) break;
      const over = strikeNow(strike);
      if (LASTING.has(strike.kind)) lasting.push(over);
      else await over;
    }
    await Promise.all(lasting);
  };

  const isAround = ({ strike }: PlannedStrike): boolean => AROUND.has(strike.kind);
  await Promise.all([strikeInTurn(plan.filter(isAround)), strikeInTurn(plan.filter((one) => !isAround(one)))]);
  return { counts, shown };
};
