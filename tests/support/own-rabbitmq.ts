import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { connect } from 'amqplib';
import { freePort } from '../crash/free-port.ts';

/** A RabbitMQ of the tests' own: on free ports, in a folder of its own, and gone after them. */
export interface OwnRabbitmq {
  readonly url: string;
  readonly port: number;
  /** SIGKILL, as when the power fails, 2 s from now: RabbitMQ 3.10 may never find a leader again for a queue that is younger than 1 s. */
  kill(): Promise<void>;
  /** Starts it again on the same data, and waits until it takes connections. */
  start(): Promise<void>;
  /** `rabbitmqctl`, which takes a second or two. */
  control(...args: readonly string[]): Promise<void>;
  /** Kills it and removes its folder. */
  remove(): Promise<void>;
}

/** Where Debian puts it. The wrappers in the path change the user and the environment. */
const HOME = '/usr/lib/rabbitmq/bin';
const START_MS = 60_000;
const SETTLING_MS = 2000;

export const hasRabbitmq = existsSync(path.join(HOME, 'rabbitmq-server'));

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once('exit', () => resolve());
  });

const kill = async (child: ChildProcess | undefined): Promise<void> => {
  if (child === undefined) return;
  child.kill('SIGKILL');
  await ended(child);
};

const takesConnections = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connectTcp(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

const takesClients = async (url: string): Promise<boolean> => {
  try {
    await (await connect(url)).close();
    return true;
  } catch {
    return false;
  }
};

export const ownRabbitmq = async (): Promise<OwnRabbitmq> => {
  const folder = mkdtempSync(path.join(tmpdir(), 'orderfold-rabbitmq-'));
  const [port, distPort, epmdPort] = [await freePort(), await freePort(), await freePort()];
  const url = `amqp://guest:guest@127.0.0.1:${port}`;
  const inFolder = (name: string, text: string): string => {
    const file = path.join(folder, name);
    writeFileSync(file, text);
    return file;
  };
  const env = {
    PATH: process.env.PATH,
    // For the cookie, so that this node and the machine's own never meet.
    HOME: folder,
    LANG: 'C.UTF-8',
    // Makes the script become the broker, so that the child's pid is the broker's.
    RUNNING_UNDER_SYSTEMD: '1',
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `own-${port}@localhost`,
    RABBITMQ_DIST_PORT: String(distPort),
    RABBITMQ_MNESIA_BASE: path.join(folder, 'data'),
    RABBITMQ_LOG_BASE: path.join(folder, 'log'),
    RABBITMQ_PID_FILE: path.join(folder, 'pid'),
    RABBITMQ_CONF_ENV_FILE: inFolder('env.conf', ''),
    RABBITMQ_CONFIG_FILE: inFolder('rabbitmq.conf', `listeners.tcp.local = 127.0.0.1:${port}\n`),
    RABBITMQ_ADVANCED_CONFIG_FILE: inFolder('advanced.config', '[].\n'),
    RABBITMQ_ENABLED_PLUGINS_FILE: inFolder('enabled_plugins', '[].\n'),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false',
  };
  // In the foreground, so that it can be ended by its pid: a broker would leave one behind.
  const epmd = spawn('epmd', ['-port', String(epmdPort), '-address', '127.0.0.1'], { env, stdio: 'ignore' });
  let broker: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    let said = '';
    const child = spawn(path.join(HOME, 'rabbitmq-server'), [], { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    broker = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(-4000);
      });
    }
    const until = Date.now() + START_MS;
    while (!((await takesConnections(port)) && (await takesClients(url)))) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`rabbitmq-server has ended:\n${said}`);
      if (Date.now() > until) throw new Error(`rabbitmq-server took longer than ${START_MS} ms to start:\n${said}`);
      await sleep(100);
    }
  };
  const remove = async (): Promise<void> => {
    await kill(broker);
    await kill(epmd);
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  };

  try {
    await start();
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    url,
    port,
    async kill() {
      await sleep(SETTLING_MS);
      await kill(broker);
    },
    start,
    async control(...args) {
      await promisify(execFile)(path.join(HOME, 'rabbitmqctl'), ['-n', env.RABBITMQ_NODENAME, ...args], { env });
    },
    remove,
  };
};
