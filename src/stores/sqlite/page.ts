import type { Page } from '../../core/store.ts';

/** One row more than the page is asked for; that it is there says whether another page follows. */
export const page = <Row, To>(rows: readonly Row[], limit: number, to: (row: Row) => To, cursorOf: (row: Row) => string): Page<To> => {
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return { rows: rows.slice(0, limit).map(to), nextCursor: last === undefined ? null : cursorOf(last) };
};
