import type { FastifyInstance } from 'fastify';
import type { DeadLetter, DeadLetterStore } from 'orderfold';
import { cursorOf, flag, nextCursorOf, optional, type Reader, readFields, text, utcTime, wholeNumber } from './fields.ts';
import { problem } from './problems.ts';

type OfOne = { readonly Params: { readonly id: string } };
type Changes = Awaited<ReturnType<DeadLetterStore['redrive']>>;

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
  diedFrom: optional(utcTime),
  diedBefore: optional(utcTime),
};
const pageFields = { ...filterFields, limit: optional(wholeNumber(1, 500)), cursor: optional(cursorOf('dead')) };

const byAndReason = { by: text(200), reason: text(1000) };
const anything: Reader<unknown> = (value) => ({ value });
const something: Reader<unknown> = (value) => (value === undefined ? { expected: 'a payload' } : { value });

const NONE = 'there is no such dead letter';

/** One letter changed, or why not. */
const changed = (id: string, { matched, refused: [refusal] }: Changes): { readonly id: string } => {
  if (matched === 0) throw problem(404, NONE, { code: 'NOT_FOUND' });
  if (refusal !== undefined) throw problem(409, refusal.message, { code: refusal.code });
  return { id };
};

export const deadLetterRoutes = (app: FastifyInstance, deadLetters: DeadLetterStore): void => {
  app.get('/dead-letters', async ({ query }) => {
    const { orderId: stream, ...filter } = readFields(query, pageFields);
    const page = await deadLetters.list({ ...filter, stream });
    return { deadLetters: page.deadLetters.map(shown), nextCursor: nextCursorOf('dead', page.nextCursor) };
  });

  app.get('/dead-letters/causes', async ({ query }) => {
    const { orderId: stream, ...filter } = readFields(query, filterFields);
    return { causes: await deadLetters.causes({ ...filter, stream }) };
  });

  app.get<OfOne>('/dead-letters/:id', async ({ params }) => {
    const letter = await deadLetters.get(params.id);
    if (letter === null) throw problem(404, NONE, { code: 'NOT_FOUND' });
    const { state, generation, envelope, raw, edits, history, omitted, lostStarts, actions } = letter;
    const original = envelope.data === undefined || edits.length > 0 ? { raw } : {};
    const edited = edits.length > 0 ? { edits } : {};
    const attempts = history.map(({ error: { code, message }, ...attempt }) => ({ ...attempt, error: { code, message } }));
    return { ...shown(letter), state, generation, envelope, ...original, ...edited, history: attempts, omitted, lostStarts, actions };
  });

  for (const change of ['redrive', 'discard'] as const) {
    app.post<OfOne>(`/dead-letters/:id/${change}`, async ({ params: { id }, body }, reply) => {
      const audit = readFields(body, byAndReason);
      return reply.code(202).send(changed(id, await deadLetters[change]({ ids: [id] }, audit)));
    });
  }

  app.post<OfOne>('/dead-letters/:id/edit', async ({ params: { id }, body }, reply) => {
    const { data, ...audit } = readFields(body, { ...byAndReason, data: something });
    return reply.code(202).send(changed(id, await deadLetters.edit(id, { data }, audit)));
  });

  // Every letter is a commit of its own, so many of them take a while.
  app.post('/dead-letters/redrive', { config: { answerWithinMs: 110_000 } }, async ({ body }, reply) => {
    const { filter, by, reason, dryRun = false } = readFields(body, { ...byAndReason, filter: anything, dryRun: optional(flag) });
    const { orderId: stream, limit, cursor, ...rest } = readFields(filter, pageFields, 'filter');
    const wanted = { ...rest, stream };
    const onePage = limit !== undefined || cursor !== undefined;
    const ids = onePage ? (await deadLetters.list({ ...wanted, limit, cursor })).deadLetters.map(({ id }) => id) : [];
    const { matched, changed: redriven } = await deadLetters.redrive(onePage ? { ids } : { filter: wanted }, { by, reason }, { dryRun });
    return reply.code(202).send({ matched, redriven: redriven.length });
  });
};
