import { audit } from './audit/audit.ts';
import { storyOf } from './audit/story.ts';
import type { Evidence } from './evidence.ts';

const STORIES = 3;
const FAULTS_SHOWN = 30;

const table = (rows: Readonly<Record<string, number>>, mark: (name: string) => string = () => ''): string[] => {
  const width = Math.max(...Object.keys(rows).map((name) => name.length));
  return Object.entries(rows).map(([name, value]) => `  ${name.padEnd(width)} ${String(value).padStart(8)}${mark(name)}`);
};

export interface Report {
  /** One line for each thing that does not hold; empty when all is well. */
  readonly faults: readonly string[];
  /** Tables, and, where something is wrong, the stories of some orders it is wrong with. */
  readonly text: string;
  readonly struck: number;
}

/** The audit of a run in words. */
export const reportOn = async (evidence: Evidence): Promise<Report> => {
  const { checked, faults, ends, lostStarts } = await audit(evidence);
  const struck = { ...evidence.struck, 'starts lost with their process': lostStarts };
  const red = (rule: string): string => {
    const howMany = faults.filter((fault) => fault.rule === rule).length;
    return howMany === 0 ? '  ok' : `  ${howMany} FAULTS`;
  };
  const lines = [
    'struck',
    ...table(struck),
    'did',
    ...table({ ...ends, ...evidence.did }),
    'checked',
    ...table({ ...checked, ...Object.fromEntries(faults.filter(({ rule }) => !(rule in checked)).map(({ rule }) => [rule, 0])) }, red),
  ];
  if (faults.length > 0) {
    lines.push('faults', ...faults.slice(0, FAULTS_SHOWN).map(({ rule, text, orderId }) => `  ${rule}: ${orderId ?? ''} ${text}`));
    const concerned = new Set(faults.flatMap(({ orderId }) => (orderId === undefined ? [] : [orderId])));
    for (const orderId of [...concerned].slice(0, STORIES)) lines.push(await storyOf(evidence, orderId));
  }
  return {
    faults: faults.map(({ rule, text, orderId }) => `${rule}: ${orderId ?? ''} ${text}`),
    text: lines.join('\n'),
    struck: Object.values(struck).reduce((sum, howMany) => sum + howMany, 0),
  };
};
