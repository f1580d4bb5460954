import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/**
 * How to close `app`: requests that are being answered get `graceMs`, sockets on which nothing is asked are cut at once. Node
 * itself would wait for one that was opened and never used, as browsers do.
 */
export const closeInTime = (app: FastifyInstance, graceMs: number): (() => Promise<void>) => {
  const sockets = new Set<Socket>();
  const busy = new Set<Socket>();
  let closing = false;

  app.server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      busy.delete(socket);
    });
  });
  app.addHook('onRequest', async ({ socket }) => void busy.add(socket));
  app.addHook('onResponse', async ({ socket }) => {
    busy.delete(socket);
    if (closing) socket.end();
  });

  return async () => {
    closing = true;
    for (const socket of sockets) if (!busy.has(socket)) socket.destroy();
    const late = setTimeout(() => app.server.closeAllConnections(), graceMs);
    await app.close();
    clearTimeout(late);
  };
};
