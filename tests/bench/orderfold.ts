import { readdirSync, statSync } from 'node:fs';
import type * as Root from '../../src/index.ts';
import type * as Sqlite from '../../src/stores/sqlite/index.ts';
import type * as Rabbitmq from '../../src/transports/rabbitmq/index.ts';

const root = new URL('../../', import.meta.url);

const newestIn = (folder: URL): number =>
  Math.max(
    ...readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(`${entry.parentPath}/${entry.name}`).mtimeMs),
  );

const isFresh = (): boolean => {
  try {
    const built = Math.min(...['dist/index.js', 'dist/sqlite.js', 'dist/rabbitmq.js'].map((file) => statSync(new URL(file, root)).mtimeMs));
    return built > newestIn(new URL('src/', root));
  } catch {
    return false;
  }
};

/** Which orderfold is measured: the build where there is one and nothing has changed since. Children are told by whoever starts them. */
export const from: 'dist' | 'src' = (process.env.BENCH_FROM as 'dist' | 'src' | undefined) ?? (isFresh() ? 'dist' : 'src');

const load = async <Module>(source: string, build: string): Promise<Module> =>
  (await import(new URL(from === 'dist' ? build : source, root).href)) as Module;

// By URL and not by its name: the folder has a package.json of its own, so nothing in it is part of the package `orderfold`.
export const { createOrders, EventBus, isLeft, memoryStore, OrderSaga, RetryPolicy } = await load<typeof Root>(
  'src/index.ts',
  'dist/index.js',
);
export const { sqliteStore } = await load<typeof Sqlite>('src/stores/sqlite/index.ts', 'dist/sqlite.js');
export const { rabbitmqTransport } = await load<typeof Rabbitmq>('src/transports/rabbitmq/index.ts', 'dist/rabbitmq.js');
