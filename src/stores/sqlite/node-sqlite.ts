import type { DatabaseSync } from 'node:sqlite';
import { OrderfoldError } from '../../core/errors.ts';

type NodeSqlite = { readonly DatabaseSync: typeof DatabaseSync };

const FIXED_NODES = '22.23.3, 24.21, 26.10 or later';

/** `node:sqlite`, fetched only now, so that importing this package asks nothing of an older Node. */
export const nodeSqlite = (): NodeSqlite => {
  // A member of `process`, because neither `require` nor `import` means the same in both builds.
  const { getBuiltinModule } = process as { getBuiltinModule?: (id: string) => object | undefined };
  const found = getBuiltinModule?.('node:sqlite');
  if (found !== undefined) return found as NodeSqlite;
  throw new OrderfoldError('CONFIG', `sqliteStore needs node:sqlite, which ${process.version} does not have: install Node ${FIXED_NODES}`);
};

/** Releases of older branches that have the fix too. */
const BACKPORTS: ReadonlyMap<number, number> = new Map([
  [44, 6],
  [50, 7],
  [51, 3],
]);

/**
 * SQLite 3.7.0 to 3.51.2 can damage a file in WAL mode that two connections write at once.
 * @see https://sqlite.org/wal.html#walresetbug
 */
export const hasWalResetFault = (version: string): boolean => {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  return major < 3 || (major === 3 && minor < 52 && patch < (BACKPORTS.get(minor) ?? Infinity));
};

export const secondProcessFault = (path: string, version: string, cause: unknown): OrderfoldError =>
  new OrderfoldError(
    'CONFIG',
    `${path} is open elsewhere, and SQLite ${version} (process.versions.sqlite, Node ${process.version}) may damage a file that two processes write: ` +
      `let one process have it, or install Node ${FIXED_NODES} for all of them`,
    { cause },
  );
