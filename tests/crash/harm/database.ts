// Stands between the store and its file: tells the moments of a transaction, and plays a full disk and a file that can't be written.
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { type Harm, happened } from './harm.ts';
import { onHarm, pass } from './suffering.ts';

/** What the transaction under way has written so far. Each is one go, without an await. */
const wrote = { events: false, parked: false };

const FULL = 13;
const READ_ONLY = 8;
const FAULTS: ReadonlyMap<number, string> = new Map([
  [FULL, 'the disk was full'],
  [READ_ONLY, 'the file was read-only'],
]);

type Values = Parameters<StatementSync['run']>;

/** By what they begin with. Timers are parked too, but by orders that are only just placed; a start alone parks nothing. */
const NOTES: readonly (readonly [begins: string, note: (values: Values) => unknown])[] = [
  ['BEGIN', () => Object.assign(wrote, { events: false, parked: false })],
  ['INSERT INTO events', () => Object.assign(wrote, { events: true })],
  ['INSERT INTO parked', ([, kind]) => kind === 'delivery' && Object.assign(wrote, { parked: true })],
  ['UPDATE parked SET type', () => Object.assign(wrote, { parked: true })],
  [
    'INSERT INTO owners',
    ([, , results]) => {
      if (String(results).includes('"why":"version"')) happened('two raced for one order and one lost');
      if (String(results).includes('"why":"lease"')) happened('an owner that was overtaken was refused');
    },
  ],
];

const committing = (commit: () => unknown): unknown => {
  const { events, parked } = wrote;
  if (parked) pass('before parking');
  if (events) pass('before a commit');
  const committed = commit();
  if (parked) pass('after parking');
  if (events) pass('after a commit');
  return committed;
};

const open = new Set<DatabaseSync>();

class Watched extends DatabaseSync {
  constructor(...given: ConstructorParameters<typeof DatabaseSync>) {
    super(...given);
    open.add(this);
  }

  override prepare(sql: string): StatementSync {
    const statement = super.prepare(sql);
    const run = statement.run.bind(statement) as (...values: Values) => ReturnType<StatementSync['run']>;
    const note = NOTES.find(([begins]) => sql.startsWith(begins))?.[1];
    const act = (...values: Values) => {
      note?.(values);
      try {
        return sql === 'COMMIT' ? committing(() => run(...values)) : run(...values);
      } catch (error) {
        const fault = FAULTS.get(Number((error as { readonly errcode?: unknown }).errcode) & 0xff);
        if (fault !== undefined) happened(fault);
        throw error;
      }
    };
    return Object.assign(statement, { run: act });
  }
}

const real = process.getBuiltinModule;
process.getBuiltinModule = ((id: string) => (id === 'node:sqlite' ? { DatabaseSync: Watched } : real(id))) as typeof real;

const onEach = (pragma: (db: DatabaseSync) => string): void => {
  for (const db of open) if (db.isOpen) db.exec(`PRAGMA ${pragma(db)}`);
};
const PLAYED: Readonly<Record<'disk full' | 'read-only', { readonly begin: () => void; readonly end: () => void }>> = {
  'disk full': {
    begin: () => onEach((db) => `max_page_count = ${Number(db.prepare('PRAGMA page_count').get()?.page_count)}`),
    end: () => onEach(() => 'max_page_count = 1073741823'),
  },
  'read-only': { begin: () => onEach(() => 'query_only = ON'), end: () => onEach(() => 'query_only = OFF') },
};

/** The file may be locked just now, even for a pragma. */
const untilDone = (act: () => void): void => {
  try {
    act();
  } catch {
    setTimeout(untilDone, 5, act);
  }
};

onHarm((harm: Harm) => {
  if (harm.kind !== 'disk full' && harm.kind !== 'read-only') return;
  const { begin, end } = PLAYED[harm.kind];
  untilDone(begin);
  setTimeout(untilDone, harm.forMs, end);
});
