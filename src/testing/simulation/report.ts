import { createCodec } from '../../runtime/codec.ts';
import { timelineOf } from '../../runtime/timeline.ts';
import type { Violation } from '../recorded-run.ts';
import type { Action, SimulationPlan } from './plan.ts';
import type { Played } from './play.ts';

/** How many lines of the trace and of a timeline are shown; the rest is in the error. */
const LINES = { trace: 120, timeline: 60, violations: 12 } as const;

const shortened = (lines: readonly string[], most: number): string[] =>
  lines.length <= most ? [...lines] : [...lines.slice(0, most / 2), `  … ${lines.length - most} more …`, ...lines.slice(-most / 2)];

const inWords = (action: Action): string => {
  const { at, do: what, ...rest } = action;
  return `  at ${String(at).padStart(6)} ms  ${what.padEnd(11)} ${Object.entries(rest)
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
    .join(', ')}`;
};

const planInWords = ({ storeFaults, actions, ...plan }: SimulationPlan): string[] => [
  `  ${Object.entries(plan)
    .map(([name, value]) => `${name}: ${value}`)
    .join(', ')}`,
  ...[...actions].sort((a, b) => a.at - b.at).map(inWords),
  ...storeFaults.flatMap((faults, who) =>
    faults.map(({ of, nth, kind }) => `  process ${who}: its call ${nth} of ${of === 'any' ? 'the store' : of} meets ${kind}`),
  ),
];

const told = (violations: readonly Violation[]): string[] => {
  const lines = [
    ...new Set(violations.map(({ invariant, orderId, text }) => `  ${invariant}${orderId === undefined ? '' : ` (${orderId})`}: ${text}`)),
  ];
  return shortened(lines, LINES.violations);
};

const codec = createCodec(undefined);

/** The order's own account of what happened to it. */
const timeline = ({ run }: Played, orderId: string): string[] => {
  const stored = run.streams.get(orderId);
  if (stored === undefined) return [];
  const parked = run.parked.filter(({ stream }) => stream === orderId);
  const lines = timelineOf(
    stored.map((event) => codec.decode(event)),
    parked,
    [],
  ).map(({ at, kind, ...entry }) => {
    const text = JSON.stringify(entry);
    return `  ${at.slice(11, 23)}  ${kind.padEnd(9)} ${text.length > 220 ? `${text.slice(0, 220)}…` : text}`;
  });
  const effects = run.effects
    .filter((effect) => effect.orderId === orderId)
    .map(
      ({ at, step, direction, key, amountMinor }) =>
        `  ${at.toFixed(1).padStart(9)} ms  ${direction} ${step}, key ${key ?? 'none'}, ${amountMinor ?? 'no'} minor units`,
    );
  return [
    `the timeline of ${orderId}`,
    ...shortened(lines, LINES.timeline),
    `what the outside did for ${orderId}`,
    ...(effects.length > 0 ? effects : ['  nothing']),
  ];
};

/** All that a person needs to understand a violation, and the one line that plays it again. */
export const reportOf = (found: {
  readonly seed: number;
  readonly nth: number;
  readonly plan: SimulationPlan;
  readonly played: Played;
  /** Where the plan comes from. */
  readonly how: string;
  readonly replay: string;
}): string => {
  const { seed, nth, plan, played, how, replay } = found;
  const orderId = played.violations.find((one) => one.orderId !== undefined)?.orderId;
  return [
    `a simulated run breaks ${[...new Set(played.violations.map(({ invariant }) => invariant))].join(', ')} (seed ${seed}, schedule ${nth})`,
    ...told(played.violations),
    `the plan: ${how}`,
    ...planInWords(plan),
    'what happened',
    ...shortened(played.trace, LINES.trace).map((line) => `  ${line}`),
    ...(orderId === undefined ? [] : timeline(played, orderId)),
    'to play it again',
    `  simulate({ …, replay: '${replay}' })`,
    `  or, as it was drawn: simulate({ …, seed: ${seed}, schedules: 1 })`,
  ].join('\n');
};
