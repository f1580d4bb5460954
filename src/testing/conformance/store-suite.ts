import { caseRunner, type Gaps, type Runner } from './runner.ts';
import { batchCases } from './store/batches.ts';
import { checkpointCases } from './store/checkpoints.ts';
import { deadLetterCases } from './store/dead-letters.ts';
import { documentCases } from './store/documents.ts';
import { keyCases } from './store/keys.ts';
import { laneCases } from './store/lanes.ts';
import { leaseCases } from './store/leases.ts';
import { logCases } from './store/log.ts';
import { olderCases } from './store/older.ts';
import { parkedCases } from './store/parked.ts';
import { pauseCases } from './store/pauses.ts';
import { payloadCases } from './store/payloads.ts';
import { raceCases } from './store/races.ts';
import { readCases } from './store/reads.ts';
import { rebuildCases } from './store/rebuild.ts';
import { replyCases } from './store/replies.ts';
import { restartCases } from './store/restart.ts';
import { retentionCases } from './store/retention.ts';
import { snapshotCases } from './store/snapshots.ts';
import type { StoreCase, StorePart, StoreSubject } from './store/subject.ts';
import { timerCases } from './store/timers.ts';

export type { Runner } from './runner.ts';
export { writeOlderData } from './store/older.ts';
export type { StoreSubject, TestSystem } from './store/subject.ts';

/** What a store can't do, and why: the cases that need it are skipped under that reason. */
export type StoreGaps = Gaps<StorePart>;

const SECTIONS: Readonly<Record<string, (test: StoreCase) => void>> = {
  log: logCases,
  races: raceCases,
  payloads: payloadCases,
  batches: batchCases,
  keys: keyCases,
  'lost replies': replyCases,
  checkpoints: checkpointCases,
  leases: leaseCases,
  'parked deliveries': parkedCases,
  timers: timerCases,
  lanes: laneCases,
  'dead letters': deadLetterCases,
  retention: retentionCases,
  snapshots: snapshotCases,
  documents: documentCases,
  pauses: pauseCases,
  rebuild: rebuildCases,
  reads: readCases,
  restart: restartCases,
  'older schemas': olderCases,
};

/**
 * Everything a `Store` promises, as tests of one adapter. Each case opens a store of its own, over a time that only the case moves.
 * @param gaps what can't be tried, with the reason, which then stands in the title of the cases that are skipped for it.
 * @example
 * import { describe, it } from 'vitest';
 * storeSuite({ describe, it }, 'acme', async () => {
 *   const system = virtualSystem();
 *   const path = await emptyFolder();
 *   const opened: Store[] = [];
 *   const another = async () => {
 *     const store = acmeStore({ path, system });
 *     opened.push(store);
 *     await store.open();
 *     return store;
 *   };
 *   const store = await another();
 *   const reopen = () => store.close().then(another);
 *   const close = async () => void (await Promise.all(opened.map((one) => one.close())));
 *   return { store, system, another, reopen, close };
 * }, { older: 'it has had but one schema so far' });
 */
export const storeSuite = (runner: Runner, name: string, open: () => Promise<StoreSubject>, gaps: StoreGaps = {}): void => {
  const test = caseRunner(runner, open, gaps, ['another', 'reopen', 'older'], (subject, part) => subject[part] !== undefined) as StoreCase;
  runner.describe(`a ${name} store`, () => {
    for (const [section, cases] of Object.entries(SECTIONS)) runner.describe(section, () => cases(test));
  });
};
