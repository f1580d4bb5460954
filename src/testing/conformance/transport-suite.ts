import { caseRunner, type Gaps, type Runner } from './runner.ts';
import { bodyCases } from './transport/bodies.ts';
import { closingCases } from './transport/closing.ts';
import { outageCases } from './transport/outage.ts';
import { publishingCases } from './transport/publishing.ts';
import { receivingCases } from './transport/receiving.ts';
import { redeliveryCases } from './transport/redelivery.ts';
import type { TransportCase, TransportNeed, TransportSubject } from './transport/subject.ts';

export type { TransportSubject } from './transport/subject.ts';

/**
 * What a transport does not promise or what can't be tried, and why: the cases that need it are skipped under that reason.
 * `maxBodyBytes` is a gap where a body that is too large would be too large for the tests as well.
 */
export type TransportGaps = Gaps<TransportNeed>;

const LARGEST_TRIED_BYTES = 64 * 1024 * 1024;

const has = (subject: TransportSubject, need: TransportNeed): boolean => {
  const { capabilities } = subject.transport;
  if (need === 'another' || need === 'restart' || need === 'outage') return subject[need] !== undefined;
  return need === 'maxBodyBytes' ? capabilities.maxBodyBytes <= LARGEST_TRIED_BYTES : capabilities[need];
};

const NEEDS: readonly TransportNeed[] = [
  'another',
  'restart',
  'outage',
  'redeliversInOrder',
  'deduplicates',
  'replays',
  'durable',
  'maxBodyBytes',
];

/**
 * Everything a `Transport` promises, as tests of one adapter. Each case opens a topic of its own, so all may run at once; none sleeps,
 * and one that waits for a message fails after `patienceMs`.
 * @param gaps has to name exactly the capabilities that are false and the parts of the subject that are left out, each with its reason.
 * @example
 * import { describe, it } from 'node:test';
 * transportSuite({ describe, it }, 'acme', async () => {
 *   const topic = `test-${crypto.randomUUID()}`;
 *   const opened: Transport[] = [];
 *   const another = async () => {
 *     const transport = acmeTransport({ url, topic });
 *     opened.push(transport);
 *     return transport;
 *   };
 *   const close = async () => void (await Promise.all(opened.map((one) => one.close())));
 *   return { transport: await another(), another, close };
 * }, { restart: 'the server is shared', outage: 'the server is shared', deduplicates: 'acme keeps no ids' });
 */
export const transportSuite = (runner: Runner, name: string, open: () => Promise<TransportSubject>, gaps: TransportGaps = {}): void => {
  const test = caseRunner(runner, open, gaps, NEEDS, has) as TransportCase;
  const { describe } = runner;
  describe(`a ${name} transport`, () => {
    describe('publishing', () => publishingCases(test));
    describe('bodies', () => bodyCases(test));
    describe('receiving', () => receivingCases(test));
    describe('redelivery', () => redeliveryCases(test));
    describe('outages', () => outageCases(test));
    describe('closing', () => closingCases(test));
  });
};
