import { createHash, timingSafeEqual } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type DeadLetter, isLeft } from 'orderfold';
import { cursorOf, flag, nextCursorOf, optional, type Reader, readFields, text, wholeNumber } from './fields.ts';
import { receiptOf } from './order-routes.ts';
import { problem, rejected } from './problems.ts';
import type { ShopOrders } from './saga.ts';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
loopback.addAddress('::1', 'ipv6');

const isLoopback = (address = ''): boolean => isIP(address) !== 0 && loopback.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Lets operators pass: with a token by the token alone, without one only from this machine, as its socket says. */
const operatorsOnly = (adminToken: string | undefined) => {
  const expected = adminToken === undefined ? undefined : digest(`Bearer ${adminToken}`);
  return async ({ headers, socket, hostname }: FastifyRequest): Promise<void> => {
    if (expected !== undefined) {
      const given = (headers.authorization ?? '').replace(/^bearer +/i, 'Bearer ');
      if (!timingSafeEqual(digest(given), expected)) throw problem(401, 'expected Authorization: Bearer with the ADMIN_TOKEN');
      return;
    }
    if (!isLoopback(socket.remoteAddress)) throw problem(403, 'only from this machine, as long as no ADMIN_TOKEN is set');
    // A page of somebody else's may have its name point here; a name that is no address and not localhost is such a one.
    const name = hostname.replace(/^\[|\]$/g, '');
    if (name !== 'localhost' && isIP(name) === 0)
      throw problem(403, 'only under an address or as localhost, as long as no ADMIN_TOKEN is set');
  };
};

const shown = ({ id, subscription, type, stream: orderId, cause, attempts, deadAt }: DeadLetter) => ({
  id,
  subscription,
  type,
  orderId,
  cause,
  attempts,
  deadAt,
});

const filterFields = {
  subscription: optional(text(200)),
  type: optional(text(200)),
  orderId: optional(text(200)),
  cause: optional(text(1000)),
  limit: optional(wholeNumber(1, 500)),
  cursor: optional(cursorOf('dead')),
};

const byAndReason = { by: text(200), reason: text(1000) };
const anything: Reader<unknown> = (value) => ({ value });

/** Cancelling, and all that can be done about dead letters. */
export const operatorRoutes = (app: FastifyInstance, orders: ShopOrders, adminToken: string | undefined): void => {
  const { deadLetters } = orders;

  /** One letter changed, or why not. */
  const changeOne = async (change: 'redrive' | 'discard', id: string, body: unknown): Promise<{ readonly id: string }> => {
    const audit = readFields(body, byAndReason);
    const { matched, refused } = await deadLetters[change]({ ids: [id] }, audit);
    if (matched === 0) throw problem(404, 'there is no such dead letter', { code: 'NOT_FOUND' });
    if (refused[0] !== undefined) throw problem(409, refused[0].message, { code: 'NOT_DEAD' });
    return { id };
  };

  app.register(async (operators) => {
    operators.addHook('onRequest', operatorsOnly(adminToken));

    operators.post<{ Params: { orderId: string } }>('/orders/:orderId/cancel', async ({ params, body }, reply) => {
      const cancelled = await orders.cancel(params.orderId, readFields(body, { reason: text(1000) }));
      if (isLeft(cancelled)) throw rejected(cancelled.left);
      return reply.code(202).send(receiptOf(cancelled.right));
    });

    operators.get('/dead-letters', async ({ query }) => {
      const { orderId: stream, ...filter } = readFields(query, filterFields);
      const page = await deadLetters.list({ ...filter, stream });
      return { deadLetters: page.deadLetters.map(shown), nextCursor: nextCursorOf('dead', page.nextCursor) };
    });

    operators.get<{ Params: { id: string } }>('/dead-letters/:id', async ({ params }) => {
      const letter = await deadLetters.get(params.id);
      if (letter === null) throw problem(404, 'there is no such dead letter', { code: 'NOT_FOUND' });
      const { state, generation, envelope, raw, history, omitted, lostStarts, actions } = letter;
      const unreadable = envelope.data === undefined ? { raw } : {};
      const attempts = history.map(({ error: { code, message }, ...attempt }) => ({ ...attempt, error: { code, message } }));
      return { ...shown(letter), state, generation, envelope, ...unreadable, history: attempts, omitted, lostStarts, actions };
    });

    operators.post<{ Params: { id: string } }>('/dead-letters/:id/redrive', async ({ params, body }, reply) =>
      reply.code(202).send(await changeOne('redrive', params.id, body)),
    );

    operators.post<{ Params: { id: string } }>('/dead-letters/:id/discard', async ({ params, body }, reply) =>
      reply.code(202).send(await changeOne('discard', params.id, body)),
    );

    // Every letter is a commit of its own, so many of them take a while.
    operators.post('/dead-letters/redrive', { config: { answerWithinMs: 110_000 } }, async ({ body }, reply) => {
      const { filter, by, reason, dryRun = false } = readFields(body, { ...byAndReason, filter: anything, dryRun: optional(flag) });
      const { orderId: stream, limit, cursor, ...rest } = readFields(filter, filterFields, 'filter');
      const wanted = { ...rest, stream };
      const onePage = limit !== undefined || cursor !== undefined;
      const ids = onePage ? (await deadLetters.list({ ...wanted, limit, cursor })).deadLetters.map(({ id }) => id) : [];
      const { matched, changed } = await deadLetters.redrive(onePage ? { ids } : { filter: wanted }, { by, reason }, { dryRun });
      return reply.code(202).send({ matched, redriven: changed.length });
    });
  });
};
