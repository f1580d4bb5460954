import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { request } from './shop.ts';

const body = JSON.stringify(request);
let sent = 0;

const message = (): string => {
  sent += 1;
  return `POST /orders HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nIdempotency-Key: ${process.pid}-${sent}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
};

/** Where the first answer in `text` ends; -1 while it has not all arrived. */
const endOfAnswer = (text: string): number => {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return -1;
  const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
  return text.length >= head + 4 + length ? head + 4 + length : -1;
};

/** Posts orders over a connection that stays open, one after another, until told to stop. */
const client =
  (socket: Socket) =>
  async (until: number, took: number[]): Promise<void> => {
    while (performance.now() < until) {
      const start = performance.now();
      socket.write(message());
      let text = '';
      for (let end = -1; end < 0; end = endOfAnswer(text)) {
        const [chunk] = await once(socket, 'data');
        text += chunk;
      }
      if (!text.startsWith('HTTP/1.1 202')) throw new Error(`answered ${text.slice(0, 300)}`);
      took.push(performance.now() - start);
    }
  };

/** So many clients at once for so long; resolves with how long each of their requests took. */
export const loadOn = async (port: number, connections: number) => {
  const sockets = await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect(port, '127.0.0.1').setEncoding('latin1').setNoDelay(true);
      await once(socket, 'connect');
      return socket;
    }),
  );
  const clients = sockets.map(client);
  return {
    async post(forMs: number): Promise<{ readonly ratePerSecond: number; readonly tookMs: readonly number[] }> {
      const tookMs: number[] = [];
      const start = performance.now();
      await Promise.all(clients.map((run) => run(start + forMs, tookMs)));
      return { ratePerSecond: (tookMs.length * 1000) / (performance.now() - start), tookMs };
    },
    close: () => sockets.forEach((socket) => void socket.destroy()),
  };
};
