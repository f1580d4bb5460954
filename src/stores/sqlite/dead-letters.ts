import type { CauseGroup, ParkedFilter, Store } from '../../core/store.ts';
import type { System } from '../../core/system.ts';
import { page } from './page.ts';
import { type ParkedRow, parkedDelivery } from './parked-row.ts';
import type { Session } from './session.ts';
import * as SQL from './sql.ts';
import { fromSql, type SqlText, toSql } from './text.ts';

interface CauseRow {
  readonly cause: SqlText | null;
  readonly letters: number;
  readonly first: number;
  readonly last: number;
  readonly latest: SqlText;
}

const causeGroup = ({ cause, letters, first, last, latest }: CauseRow): CauseGroup => ({
  cause: cause === null ? '' : fromSql(cause),
  letters,
  firstDeadAt: first,
  lastDeadAt: last,
  latest: fromSql(latest),
});

const END_OF_TIME = Number.MAX_SAFE_INTEGER;

/** What lies dead, and what is over. */
export const createDeadLetters = ({ sql, read, write }: Session, system: System): Pick<Store, 'dead' | 'causes' | 'prune'> => ({
  dead: ({ diedFrom = 0, diedBefore = END_OF_TIME, ...columns }: ParkedFilter, limit, cursor) =>
    read(() => {
      const wanted = Object.entries(columns).flatMap(([column, value]) => (value === undefined ? [] : [[column, toSql(value)] as const]));
      const [at = diedBefore, n = 0] = cursor === null ? [] : cursor.split('.').map(Number);
      const query = sql(SQL.deadSql(new Set(wanted.map(([column]) => column))));
      const rows = query.all({ ...Object.fromEntries(wanted), from: diedFrom, at, n, limit: limit + 1 });
      return page(
        rows as unknown as (ParkedRow & { readonly dead_at: number })[],
        limit,
        parkedDelivery,
        (row) => `${row.dead_at}.${row.n}`,
      );
    }),
  causes: ({ diedFrom = 0, diedBefore = END_OF_TIME, ...columns }) =>
    read(() => {
      const [subscription = null, type = null, stream = null, cause = null] = [
        columns.subscription,
        columns.type,
        columns.stream,
        columns.cause,
      ].map((value) => (value === undefined ? null : toSql(value)));
      const rows = sql(SQL.CAUSES).all({ subscription, type, stream, cause, from: diedFrom, before: diedBefore });
      return (rows as unknown as readonly CauseRow[]).map(causeGroup);
    }),
  prune: (olderThanMs, limit) => write(() => Number(sql(SQL.PRUNE_PARKED).run(system.now() - olderThanMs, limit).changes)),
});
