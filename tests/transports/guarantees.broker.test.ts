import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { system } from '../../src/system.ts';
import type { Runner } from '../../src/testing/conformance/runner.ts';
import { type TransportGaps, type TransportSubject, transportSuite } from '../../src/testing/conformance/transport-suite.ts';
import { createMemoryTransport } from '../../src/transports/memory/memory-transport.ts';
import { describeServer } from '../support/describe-server.ts';
import { hasRabbitmq, ownRabbitmq } from '../support/own-rabbitmq.ts';
import { IN_MEMORY, OWN_RABBITMQ } from './gaps.ts';
import { rabbitmqSubject } from './rabbitmq-subject.ts';

const README = fileURLToPath(new URL('../../README.md', import.meta.url));

/** What each capability promises, and a part of the title of the one case it gates. */
const PROMISES = [
  [
    'redeliversInOrder',
    'what was handed out and not acked comes again before later events of its stream',
    'delivers again in the order of the stream',
  ],
  ['deduplicates', 'an event that is published again is dropped', 'drops a message that is published again'],
  ['replays', 'a subscription made later gets what was published before', 'gives a subscription that is made later'],
  ['durable', 'what was published outlives a restart of the broker', 'keeps over a restart of the broker'],
] as const;

type Outcomes = ReadonlyMap<string, 'passed' | 'failed' | 'skipped'>;

/** Runs a whole suite, one case after another, and tells what became of each. */
const outcomesOf = async (open: () => Promise<TransportSubject>, gaps: TransportGaps): Promise<Outcomes> => {
  const cases: { readonly title: string; readonly body: (() => Promise<void>) | null }[] = [];
  const runner: Runner = {
    describe: (_, body) => body(),
    it: Object.assign((title: string, body: () => Promise<void>) => void cases.push({ title, body }), {
      skip: (title: string) => void cases.push({ title, body: null }),
    }),
  };
  transportSuite(runner, 'a', open, gaps);
  const outcomes = new Map<string, 'passed' | 'failed' | 'skipped'>();
  for (const { title, body } of cases) {
    if (body === null) outcomes.set(title, 'skipped');
    else
      await body().then(
        () => outcomes.set(title, 'passed'),
        () => outcomes.set(title, 'failed'),
      );
  }
  return outcomes;
};

const isGated = (title: string): boolean => PROMISES.some(([, , part]) => title.startsWith(part));

const cell = (outcomes: Outcomes, part: string): string => {
  const [title = '', result = 'failed'] = [...outcomes].find(([one]) => one.startsWith(part)) ?? [];
  // The reason stands at the end of the title of a case that is skipped.
  return result === 'skipped' ? `no: ${title.slice(title.lastIndexOf('(') + 1, -1)}` : result === 'passed' ? 'yes' : 'FAILS';
};

const tableOf = (columns: readonly (readonly [name: string, outcomes: Outcomes, maxBodyBytes: number])[]): string => {
  const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rest = columns.map(([, outcomes]) => {
    const results = [...outcomes].filter(([title]) => !isGated(title)).map(([, result]) => result);
    const tried = results.filter((result) => result !== 'skipped');
    return `${tried.filter((result) => result === 'passed').length} of ${tried.length} cases`;
  });
  return [
    row('promise', ...columns.map(([name]) => name)),
    row('---', ...columns.map(() => '---')),
    row('every subscription gets every event, those of a stream in order, and again what was not acked; outages, bodies, closing', ...rest),
    ...PROMISES.map(([flag, says, part]) => row(`\`${flag}\`: ${says}`, ...columns.map(([, outcomes]) => cell(outcomes, part)))),
    row('`maxBodyBytes`: the largest event, by default', ...columns.map(([, , bytes]) => `${bytes / 2 ** 20} MiB`)),
  ].join('\n');
};

describeServer('TEST_AMQP_URL', 'the guarantees of transports', () => {
  describe.skipIf(!hasRabbitmq)('from the runs of their suite (needs rabbitmq-server)', () => {
    it('R32 stand in README.md as the runs show them, a gap as a gap', { timeout: 300_000 }, async () => {
      const broker = await ownRabbitmq();
      try {
        const memory = createMemoryTransport(system);
        const inMemory = await outcomesOf(async () => {
          const transport = createMemoryTransport(system);
          return { transport, another: async () => transport.another(), close: () => transport.close() };
        }, IN_MEMORY);
        let maxBodyBytes = 0;
        const overRabbitmq = await outcomesOf(async () => {
          const subject = await rabbitmqSubject(system, broker.url);
          ({ maxBodyBytes } = subject.transport.capabilities);
          const restart = async () => {
            await broker.kill();
            await broker.start();
            return subject.another();
          };
          return { ...subject, restart };
        }, OWN_RABBITMQ);
        const columns = [
          ['`memoryTransport`', inMemory, memory.capabilities.maxBodyBytes],
          ['`rabbitmqTransport`', overRabbitmq, maxBodyBytes],
        ] as const;
        for (const [name, outcomes] of columns)
          expect(
            [...outcomes].filter(([, result]) => result === 'failed'),
            name,
          ).toEqual([]);
        const shown = readFileSync(README, 'utf8').replace(
          /(?<=<!-- guarantees -->\n)[^<]*(?=<!-- end of guarantees -->)/,
          `\n${tableOf(columns)}\n\n`,
        );
        await expect(shown).toMatchFileSnapshot(README);
      } finally {
        await broker.remove();
      }
    });
  });
});
