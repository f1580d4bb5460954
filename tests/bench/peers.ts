/**
 * The peers as far as they are used here. They are installed in this folder only, and by the benchmarks only, so that types, lint and tests
 * of the project do without them.
 */
const load = async <Module>(name: string): Promise<Module> => (await import(name)) as Module;

export interface Emittery {
  on(event: string, listener: (event: { readonly data: unknown }) => Promise<void>): unknown;
  emit(event: string, data: unknown): Promise<void>;
}

export interface PQueue {
  add(task: () => Promise<void>): Promise<unknown>;
  onIdle(): Promise<void>;
}

interface RedisOptions {
  readonly connection: { readonly host: string; readonly port: number; readonly maxRetriesPerRequest: null };
}

export interface BullQueue {
  addBulk(jobs: readonly { readonly name: string; readonly data: unknown }[]): Promise<unknown>;
  obliterate(options: { readonly force: boolean }): Promise<void>;
  close(): Promise<void>;
}

export interface BullWorker {
  run(): Promise<void>;
  close(): Promise<void>;
}

type BullMQ = {
  readonly Queue: new (name: string, options: RedisOptions) => BullQueue;
  readonly Worker: new (
    name: string,
    handle: (job: { readonly data: unknown }) => Promise<void>,
    options: RedisOptions & { readonly concurrency: number; readonly autorun: boolean },
  ) => BullWorker;
};

export interface PlainQueue {
  add(type: string, data: unknown): unknown;
  close(): void;
}

type Plainjob = {
  readonly defineQueue: (options: { readonly connection: unknown; readonly logger: PlainLogger }) => PlainQueue;
  readonly defineWorker: (
    type: string,
    handle: (job: { readonly data: string }) => Promise<void>,
    options: { readonly queue: PlainQueue; readonly logger: PlainLogger },
  ) => { start(): Promise<void>; stop(): Promise<void> };
};

type PlainLogger = { readonly [level in 'error' | 'warn' | 'info' | 'debug']: (message: string) => void };

/** A message on its way. */
interface RascalPublication {
  on(event: 'success' | 'error' | 'return', heard: (problem: unknown) => void): RascalPublication;
}

export interface RascalBroker {
  publish(publication: string, body: string): Promise<RascalPublication>;
  shutdown(): Promise<void>;
}

type Rascal = {
  readonly BrokerAsPromised: { create(config: object): Promise<RascalBroker> };
  readonly withDefaultConfig: (config: object) => object;
};

export const emittery = async (): Promise<Emittery> => new (await load<{ default: new () => Emittery }>('emittery')).default();

export const pQueue = async (concurrency: number): Promise<PQueue> =>
  new (await load<{ default: new (options: { concurrency: number }) => PQueue }>('p-queue')).default({ concurrency });

export const bullmq = (): Promise<BullMQ> => load('bullmq');

export const plainjob = (): Promise<Plainjob> => load('plainjob');

export const rascal = async (): Promise<Rascal> => (await load<{ readonly default: Rascal }>('rascal')).default;
