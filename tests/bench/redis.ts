import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { folder } from './files.ts';

/** Why there is no Redis to measure against; undefined if there is. */
export const noRedis = (): string | undefined => {
  if (!process.env.TEST_REDIS_URL) return 'needs TEST_REDIS_URL';
  return spawnSync('redis-server', ['--version']).status === 0 ? undefined : 'needs a redis-server to start, one that keeps its data';
};

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
};

/** A Redis of this process's own that writes an append-only file every second; it ends with the process. */
export const ownRedis = async (): Promise<{ readonly port: number; stop(): Promise<void> }> => {
  const port = await freePort();
  const options = {
    port,
    bind: '127.0.0.1',
    dir: folder,
    save: '',
    appendonly: 'yes',
    appendfsync: 'everysec',
    'maxmemory-policy': 'noeviction',
  };
  const server = spawn(
    'redis-server',
    Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const kill = (): void => void server.kill('SIGKILL');
  process.once('exit', kill);
  for await (const line of server.stdout) if (String(line).includes('Ready to accept connections')) break;
  return {
    port,
    async stop() {
      process.off('exit', kill);
      server.kill();
      if (server.exitCode === null) await once(server, 'exit');
    },
  };
};
