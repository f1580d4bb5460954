import { createServer, type Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A way to a server that can be made to fail as networks do. All of it holds for connections there are and for those to come. */
export interface TcpProxy {
  readonly port: number;
  /** How many connections were taken so far. */
  readonly taken: number;
  /** How many of them clients hold open. */
  readonly held: number;
  /** How many bytes clients have sent so far, whether they were passed on or not. */
  readonly sentBytes: number;
  /** Ends what there is with FIN and refuses what comes. */
  cut(): Promise<void>;
  /** Ends what there is with RST; takes what comes. */
  reset(): void;
  /** Half-open: takes every byte, and passes on nothing in either direction. */
  swallow(): void;
  /** Half-open in one direction: the server hears the client, and the client nothing. */
  muffle(): void;
  /** Every chunk arrives that much later. */
  slow(delayMs: number): void;
  /** All is well again. What was swallowed stays lost, so its connections are ended. */
  mend(): Promise<void>;
  close(): Promise<void>;
}

type Mode = 'open' | 'silent' | 'muffled';

const listening = (server: Server, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });

export const tcpProxy = async (target: { readonly host: string; readonly port: number }): Promise<TcpProxy> => {
  let mode: Mode = 'open';
  let delayMs = 0;
  let taken = 0;
  let sentBytes = 0;
  const sockets = new Set<Socket>();
  const clients = new Set<Socket>();

  const pass = (from: Socket, to: Socket, isFromServer: boolean): void => {
    sockets.add(from);
    let delayed = 0;
    let last = Promise.resolve();
    /** Behind what is still on its way, whose delay may have been longer. */
    const later = async (before: Promise<void>, arrived: Promise<void>, chunk: Buffer): Promise<void> => {
      await Promise.all([before, arrived]);
      delayed -= 1;
      if (to.writable) to.write(chunk);
    };
    from.on('data', (chunk: Buffer) => {
      if (!isFromServer) sentBytes += chunk.length;
      if (mode === 'silent' || (mode === 'muffled' && isFromServer)) return;
      if (delayMs === 0 && delayed === 0) return void to.write(chunk);
      delayed += 1;
      last = later(last, sleep(delayMs), chunk);
    });
    // A socket that has gone wrong closes next.
    from.on('error', () => {});
    from.on('close', () => {
      sockets.delete(from);
      if (mode === 'open') to.destroy();
    });
  };
  const server = createServer((client) => {
    taken += 1;
    clients.add(client);
    client.on('close', () => clients.delete(client));
    const upstream = new Socket();
    upstream.connect(target.port, target.host);
    pass(client, upstream, false);
    pass(upstream, client, true);
  });
  const port = await listening(server, 0);
  const endAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const stopListening = (): Promise<void> => new Promise((resolve) => void server.close(() => resolve()));

  return {
    port,
    get taken() {
      return taken;
    },
    get held() {
      return clients.size;
    },
    get sentBytes() {
      return sentBytes;
    },
    async cut() {
      const stopped = stopListening();
      endAll();
      await stopped;
    },
    reset() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    swallow() {
      mode = 'silent';
    },
    muffle() {
      mode = 'muffled';
    },
    slow(byMs) {
      delayMs = byMs;
    },
    async mend() {
      if (mode !== 'open') endAll();
      mode = 'open';
      delayMs = 0;
      if (!server.listening) await listening(server, port);
    },
    async close() {
      mode = 'open';
      endAll();
      if (server.listening) await stopListening();
    },
  };
};
