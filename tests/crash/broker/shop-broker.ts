import { connect } from 'amqplib';
import { shownAddress } from '../../../src/transports/rabbitmq/options.ts';
import type { OwnRabbitmq } from '../../support/own-rabbitmq.ts';
import { type TcpProxy, tcpProxy } from '../../support/tcp-proxy.ts';
import type { BrokerEvidence } from '../evidence.ts';
import { PASSWORD } from '../secrets.ts';
import { until } from '../workplace.ts';
import { type Copier, startCopier } from './copier.ts';
import { type Listener, queueOfTests, startListener } from './listener.ts';
import { openWorkerQueues, type WorkerQueues } from './worker-queues.ts';

export interface BrokerChoice {
  /** `amqp://…`, as an operator of the broker. */
  readonly url: string;
  /** It may be struck itself, and is not removed at the end. */
  readonly own?: OwnRabbitmq | undefined;
}

/** A topic of a run's own at some broker, behind a proxy, with a listener of another service and a copier beside it. */
export interface ShopBroker {
  /** What processes are told: the way through the proxy. */
  readonly transportUrl: string;
  readonly topic: string;
  /** The broker without the login. */
  readonly shown: string;
  readonly proxy: TcpProxy;
  readonly own: OwnRabbitmq | undefined;
  /** Who the processes say they are, at a broker of the run's own. */
  readonly user: string;
  readonly copier: Copier;
  readonly listener: Listener;
  /** The shop has opened its file. Resolves when the queues of its workers are there, also those of subscriptions that come later. */
  serves(database: string, later: readonly string[]): Promise<void>;
  /** Has messages come to workers out of order only, for a while. Resolves with whether any did. */
  detour(forMs: number): Promise<boolean>;
  /** How often what it does by the way has struck, and how often processes have noticed that it is away, by what they print. */
  struck(log: readonly string[]): Readonly<Record<string, number>>;
  /** Waits until all that was published has been copied and received, and deletes the topic. `stop` ends the processes in between. */
  end(withinMs: number, stop: () => Promise<void>): Promise<BrokerEvidence>;
  /** Whatever is still going on; deletes the topic, if others use the broker too. */
  close(): Promise<void>;
}

export const AGAIN = 'messages that came again';
export const OVERTAKEN = 'messages that came after later ones of their shard';
export const NOTICED = 'processes lost the broker';
/** What strikes by itself where there is a broker. */
export const AT_ANY_BROKER = [AGAIN, OVERTAKEN] as const;

const USER = 'shop';
let topics = 0;

/** Whose password may be wrong for a while without us being locked out. */
const addUser = async ({ control }: OwnRabbitmq): Promise<void> => {
  await control('add_user', USER, PASSWORD);
  await control('set_permissions', USER, '.*', '.*', '.*');
};

export const openShopBroker = async ({ url, own }: BrokerChoice, seed: number): Promise<ShopBroker> => {
  const address = new URL(url);
  address.search = '';
  const direct = address.href;
  // What is not there now is somebody's mistake: said at once.
  await (await connect(direct)).close();
  topics += 1;
  const topic = `chaos-${seed}-${process.pid}-${topics}`;
  if (own !== undefined) await addUser(own);
  const proxy = await tcpProxy({ host: address.hostname, port: Number(address.port || 5672) });
  const through = new URL(direct);
  through.hostname = '127.0.0.1';
  through.port = String(proxy.port);
  if (own !== undefined) Object.assign(through, { username: USER, password: PASSWORD });
  through.searchParams.set('topic', topic);
  const listener = await startListener(direct, topic);
  const copier = await startCopier(direct, topic, seed);
  let queues: WorkerQueues | undefined;
  let closing: Promise<void> | undefined;

  const remove = (): Promise<void> | undefined =>
    queues?.remove(
      [topic, copier.detour],
      ['listener', 'copier'].map((name) => queueOfTests(topic, name)),
    );
  const letGo = async (): Promise<void> => {
    await Promise.all([proxy.close(), listener.close(), copier.close()]);
    if (own === undefined) await remove();
    await queues?.close();
  };
  const close = (): Promise<void> => {
    closing ??= letGo();
    return closing;
  };
  return {
    transportUrl: through.href,
    topic,
    shown: shownAddress(direct),
    proxy,
    own,
    user: USER,
    copier,
    listener,
    async serves(database, later) {
      queues = await openWorkerQueues({ url: direct, topic, database, later });
    },
    async detour(forMs) {
      const before = copier.overtaken;
      await queues?.detour(copier.detour, forMs);
      return copier.overtaken > before;
    },
    struck: (log) => ({
      [AGAIN]: copier.copies,
      [OVERTAKEN]: copier.overtaken,
      [NOTICED]: log.filter((line) => line.startsWith('the broker is away')).length,
    }),
    async end(withinMs, stop) {
      const waiting = async () => (await queues?.waiting()) ?? {};
      const allTaken = async (): Promise<boolean> => Object.keys(await waiting()).length === 0;
      await copier.drained(withinMs);
      await until('the workers have taken every message', allTaken, withinMs).catch(() => undefined);
      await stop();
      // What processes had in hand and did not ack is back by now.
      const left = await waiting();
      if (own !== undefined) await remove();
      await close();
      return { heard: listener.heard, waiting: left };
    },
    close,
  };
};
