import { describe, it } from 'vitest';
import { batchCases } from './store/batches.ts';
import { checkpointCases } from './store/checkpoints.ts';
import { deadLetterCases } from './store/dead-letters.ts';
import { documentCases } from './store/documents.ts';
import { laneCases } from './store/lanes.ts';
import { leaseCases } from './store/leases.ts';
import { logCases } from './store/log.ts';
import { parkedCases } from './store/parked.ts';
import { pauseCases } from './store/pauses.ts';
import { readCases } from './store/reads.ts';
import { rebuildCases } from './store/rebuild.ts';
import { retentionCases } from './store/retention.ts';
import type { StoreCase, StoreSubject } from './store/subject.ts';

export type { StoreSubject, TestSystem } from './store/subject.ts';

/** What a store can't do, so that the cases which need it are skipped by name. */
export interface StoreGaps {
  /** Why there can be no second connection to the same data. */
  readonly another?: string;
  /** Why nothing outlives a restart. */
  readonly reopen?: string;
}

/**
 * Everything a `Store` promises, as tests of one adapter. Each case opens a store of its own, so they may run side by side.
 * @example
 * storeSuite('memory', async () => ({ store, system, close: () => store.close() }), { reopen: 'memory is gone with its process' });
 */
export const storeSuite = (name: string, open: () => Promise<StoreSubject>, gaps: StoreGaps = {}): void => {
  const test: StoreCase = (title, body, needs) => {
    const missing = needs && gaps[needs];
    if (missing !== undefined) return void it.skip(`${title} (${missing})`, () => {});
    it(title, async () => {
      const subject = await open();
      try {
        await body(subject);
      } finally {
        await subject.close();
      }
    });
  };
  describe(`a ${name} store`, () => {
    describe('log', () => logCases(test));
    describe('batches', () => batchCases(test));
    describe('checkpoints', () => checkpointCases(test));
    describe('leases', () => leaseCases(test));
    describe('parked deliveries', () => parkedCases(test));
    describe('lanes', () => laneCases(test));
    describe('dead letters', () => deadLetterCases(test));
    describe('retention', () => retentionCases(test));
    describe('documents', () => documentCases(test));
    describe('pauses', () => pauseCases(test));
    describe('rebuild', () => rebuildCases(test));
    describe('reads', () => readCases(test));
  });
};
