import type { Row } from './harness.ts';

/** Three digits that count, and separators in what is large. */
export const figure = (value: number): string =>
  Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));

const cells = ({ what, ours, beside, peer, unit, figure: found, limit, verdict }: Row): readonly string[] => [
  what,
  ours === null ? '' : `${figure(ours)} ${unit}`.trim(),
  beside === null ? '' : figure(beside),
  peer,
  found?.of === 'ratio' ? figure(found.value) : '',
  found === null ? '' : `${figure(found.low)} – ${figure(found.high)}`,
  limit === null ? '' : `${limit.at === 'least' ? '≥' : '≤'} ${limit.value}`,
  verdict,
];

const HEAD = ['benchmark', 'ours', 'beside', 'which is', 'ratio', '95 %', 'limit', ''] as const;

/** The rows as text, their notes beneath. */
export const table = (rows: readonly Row[]): string => {
  const lines = [HEAD, ...rows.map(cells)];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const padded = (line: readonly string[]): string => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  const [head, ...rest] = lines.map((line) => padded(line).trimEnd());
  const notes = [...new Set(rows.flatMap(({ what, note }) => (note === undefined ? [] : [`${what}: ${note}`])))];
  return [head, widths.map((width) => '─'.repeat(width)).join('  '), ...rest, '', ...notes].join('\n');
};
