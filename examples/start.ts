import { settingsOrExit } from './settings.ts';
import { supervise } from './supervise.ts';

/** SQLite before 3.51.3 may damage a file that two processes write, unless the fix was carried back. @see https://sqlite.org/wal.html */
const sqliteTakesTwoProcesses = (version: string): boolean => {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  const firstFixed = { 44: 6, 50: 7, 51: 3 }[minor] ?? Number.POSITIVE_INFINITY;
  return major > 3 || minor > 51 || patch >= firstFixed;
};

const settings = settingsOrExit('both');
const version = process.versions.sqlite ?? '0';
const two = settings.database.kind !== 'memory' && sqliteTakesTwoProcesses(version);
if (settings.database.kind !== 'memory' && !two) {
  console.error(`SQLite ${version} of this Node does not take two processes on one file: API and worker run as one process.`);
}

if (two) {
  const parts = [
    { name: 'API', file: './api.mjs' },
    { name: 'worker', file: './worker.mjs' },
  ];
  supervise(parts, 2 * settings.graceMs + settings.leaseMs + 10_000);
} else {
  const { startTogether } = await import('./together.ts');
  await startTogether(settings);
}
