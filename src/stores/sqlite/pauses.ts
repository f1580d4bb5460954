import type { Pause, PauseTarget, PauseWrite } from '../../core/records.ts';
import type { System } from '../../core/system.ts';
import type { Session } from './session.ts';
import * as SQL from './sql.ts';
import { fromSql, type SqlText, toSql } from './text.ts';

interface PauseRow {
  readonly target: PauseTarget['of'];
  readonly name: SqlText;
  readonly at: number;
  readonly paused_by: SqlText;
  readonly reason: SqlText;
  readonly resumed_at: number | null;
  readonly resumed_by: SqlText;
  readonly resumed_reason: SqlText;
}

const pauseOf = (row: PauseRow): Pause => ({
  of: row.target,
  name: fromSql(row.name),
  by: fromSql(row.paused_by),
  reason: fromSql(row.reason),
  at: row.at,
  resumed: row.resumed_at === null ? null : { at: row.resumed_at, by: fromSql(row.resumed_by), reason: fromSql(row.resumed_reason) },
});

/** What operators have wait, and had. Its members run inside a transaction. */
export interface Pauses {
  isSubscription(name: string): boolean;
  isStream(name: string): boolean;
  /** Whether any stream is paused. */
  areStreams(): boolean;
  pause(change: PauseWrite): void;
  resume(change: PauseWrite): void;
  /** Those that last, or all of one stream, the earliest first. */
  list(stream: string | undefined): readonly Pause[];
}

export const createPauses = (session: Session, system: System): Pauses => {
  /** Almost always empty, and asked for with every delivery. Paused streams may be many, so of those it is only known whether there are any. */
  let known: { readonly subscriptions: ReadonlySet<string>; readonly streams: boolean } | null = null;
  const forget = (): void => {
    known = null;
  };
  session.remembers(forget);

  const paused = () => {
    if (known !== null) return known;
    const rows = session.sql(SQL.WHAT_IS_PAUSED).all() as unknown as readonly { readonly name: SqlText | null }[];
    const subscriptions = new Set<string>();
    for (const { name } of rows) if (name !== null) subscriptions.add(fromSql(name));
    known = { subscriptions, streams: rows.length > subscriptions.size };
    return known;
  };

  return {
    isSubscription: (name) => paused().subscriptions.has(name),
    isStream: (name) => paused().streams && session.sql(SQL.IS_STREAM_PAUSED).get(toSql(name)) !== undefined,
    areStreams: () => paused().streams,
    pause({ of, name, by, reason }) {
      session.sql(SQL.PAUSE).run(of, toSql(name), system.now(), toSql(by), toSql(reason));
      forget();
    },
    resume({ of, name, by, reason }) {
      session.sql(SQL.RESUME).run(system.now(), toSql(by), toSql(reason), of, toSql(name));
      forget();
    },
    list(stream) {
      const rows = stream === undefined ? session.sql(SQL.OPEN_PAUSES).all() : session.sql(SQL.PAUSES_OF_STREAM).all(toSql(stream));
      return (rows as unknown as readonly PauseRow[]).map(pauseOf);
    },
  };
};
