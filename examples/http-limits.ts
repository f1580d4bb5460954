import type { FastifyInstance, FastifyServerOptions } from 'fastify';
import { AGAIN, answerClientError, answerWith, problem, wrongFields } from './problems.ts';

/** What one client may cost: neither a slow nor a flooding one takes the place of the others. */
export const httpLimits = {
  bodyLimit: 64 * 1024,
  /** From the first byte of a request to the last of its body. */
  requestTimeout: 10_000,
  /** A socket on which nothing moves, such as one whose client doesn't read. */
  connectionTimeout: 120_000,
  keepAliveTimeout: 5_000,
  routerOptions: { maxParamLength: 500 },
  http: { headersTimeout: 5_000, maxHeaderSize: 16 * 1024, connectionsCheckingInterval: 1_000 },
  clientErrorHandler: answerClientError,
  frameworkErrors: (error, _request, reply) => void answerWith(reply, error),
} as const satisfies FastifyServerOptions & { readonly http: object };

/** A handler that takes longer is answered for: the store may be away, and longer than it is patient itself. */
const ANSWER_WITHIN_MS = 7000;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How long this route's handler may take. */
    readonly answerWithinMs?: number;
  }
}

/** Answers 503 in time, whatever becomes of the work. Fastify's own `handlerTimeout` ends with the request's body. */
export const answerInTime = (app: FastifyInstance): void => {
  app.addHook('onRoute', (route) => {
    const { handler, config } = route;
    const withinMs = config?.answerWithinMs ?? ANSWER_WITHIN_MS;
    route.handler = async function (request, reply) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_resolve, reject) => {
        timer = setTimeout(() => reject(problem(503, `no answer within ${withinMs} ms; ${AGAIN}`, { code: 'STORE' })), withinMs);
      });
      try {
        return await Promise.race([handler.call(this, request, reply), late]);
      } finally {
        clearTimeout(timer);
      }
    };
  });
};

const MOST_CONNECTIONS = 16_000;

/** What is wrong with a body that is not taken as JSON. */
const notTaken = (text: string): Error => {
  try {
    JSON.parse(text);
  } catch {
    return problem(400, text === '' ? 'expected JSON, got nothing' : 'expected JSON, got something that can not be read as such');
  }
  return wrongFields([{ field: '__proto__', message: 'expected no field of this name, nor a prototype in a field constructor' }]);
};

/** Bodies are JSON in UTF-8 and nothing else: a form or `text/plain` from a page of somebody else's is refused before it is read. */
export const takeOnlyJson = (app: FastifyInstance): void => {
  app.server.maxConnections = MOST_CONNECTIONS;
  app.addHook('onRequest', async (_request, reply) => void reply.header('x-content-type-options', 'nosniff'));
  const parse = app.getDefaultJsonParser('error', 'error');
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    let text: string;
    try {
      text = utf8.decode(body);
    } catch {
      return done(problem(400, 'expected JSON in UTF-8'));
    }
    parse(request, text, (error, parsed) => (error === null ? done(null, parsed) : done(notTaken(text))));
  });
};
