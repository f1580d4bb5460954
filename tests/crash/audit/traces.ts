import { DatabaseSync } from 'node:sqlite';
import type { Evidence, Notes } from '../evidence.ts';
import { secretsIn } from '../secrets.ts';

/** What no process of ours may say. */
const CRASH = /unhandled|uncaught|^\s+at \S|node:internal|\bfatal\b|warning:|\b(Type|Reference|Range)Error\b|^Node\.js v/i;

/** Where the customer's own words stand, secrets included: they are what was ordered. */
const ORDERED = new Set(['streams.state', 'events.data', 'keys.fingerprint', 'owners.results']);

const auditColumns = (database: string, { look, fault }: Notes): void => {
  const rule = 'R24 no secret in the file but what was ordered';
  const db = new DatabaseSync(database, { readOnly: true });
  try {
    for (const { name: table } of db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()) {
      for (const row of db.prepare(`SELECT * FROM ${table}`).all()) {
        for (const [column, value] of Object.entries(row)) {
          if (typeof value !== 'string') continue;
          const placed = ORDERED.has(`${table}.${column}`) && (table !== 'events' || row.type === 'OrderPlaced');
          if (placed) continue;
          look(rule);
          for (const secret of secretsIn(value)) fault(rule, `${secret} stands in ${table}.${column}: ${value.slice(0, 300)}`);
        }
      }
    }
  } finally {
    db.close();
  }
};

/** Logs, answers, columns and endings: what the processes left behind. */
export const auditTraces = ({ database, logs, shown, endings, struck, hadToStrike }: Evidence, lost: number, notes: Notes): void => {
  const { look, fault } = notes;
  for (const { name, lines } of logs) {
    for (const line of lines) {
      look('R25 no unhandled rejection in a log');
      if (CRASH.test(line)) fault('R25 no unhandled rejection in a log', `${name}: ${line}`);
      for (const secret of secretsIn(line)) fault('R24 no secret in a log', `${name} says ${secret}: ${line}`);
    }
  }
  look(
    'R24 no secret in a log',
    logs.reduce((sum, { lines }) => sum + lines.length, 0),
  );
  look('R24 no secret in a dead letter, timeline or metric', shown.length);
  for (const text of shown.map(withoutOrder)) {
    for (const secret of secretsIn(text)) fault('R24 no secret in a dead letter, timeline or metric', `${secret}: ${text.slice(0, 300)}`);
  }
  auditColumns(database, notes);
  for (const { name, ending } of endings) {
    look('R25 SIGTERM ends everything with 0');
    if (ending !== 0) fault('R25 SIGTERM ends everything with 0', `${name} ended with ${ending}`);
  }
  const really: Readonly<Record<string, number>> = { ...struck, 'starts lost with their process': lost };
  look('faults struck', Object.keys(really).length);
  for (const kind of hadToStrike) if ((really[kind] ?? 0) === 0) fault('faults struck', `${kind}: never`);
};

/** A timeline begins with the order as it was placed. */
const withoutOrder = (text: string): string => {
  if (!text.startsWith('{"timeline"')) return text;
  const { timeline } = JSON.parse(text) as { readonly timeline: readonly { readonly type?: string }[] };
  return JSON.stringify(timeline.filter(({ type }) => type !== 'OrderPlaced'));
};
