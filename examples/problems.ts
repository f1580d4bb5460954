import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { isOrderfoldError, type Rejection } from 'orderfold';
import { oneLine } from './one-line.ts';

/** What is wrong with one field of a body, query or header. */
export interface FieldProblem {
  readonly field: string;
  readonly message: string;
}

/** @see RFC 9457 */
interface ProblemDocument {
  readonly type: 'about:blank';
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code?: string;
  readonly errors?: readonly FieldProblem[];
}

interface Problem extends Error {
  readonly problem: ProblemDocument;
}

/** To be thrown by a handler: answered as a problem document. */
export const problem = (status: number, detail: string, more: Pick<ProblemDocument, 'code' | 'errors'> = {}): Problem =>
  Object.assign(new Error(detail), {
    problem: { type: 'about:blank', title: STATUS_CODES[status] ?? '', status, detail, ...more } as const,
  });

/** To be thrown for fields that can't be taken. */
export const wrongFields = (errors: readonly FieldProblem[]): Problem =>
  problem(
    400,
    `can't be taken like this: ${errors
      .map(({ field, message }) => `${field}: ${message}`)
      .join('; ')
      .slice(0, 1000)}`,
    { code: 'INVALID', errors },
  );

const STATUS_OF = { INVALID: 400, NOT_FOUND: 404, TOO_LATE: 409, NOT_DEAD: 409, EXISTS: 409, KEY_REUSED: 422 } as const;

/** To be thrown for a normal "no". */
export const rejected = ({ code, message, issues }: Rejection): Problem => {
  if (issues === undefined) return problem(STATUS_OF[code], message, { code });
  return wrongFields(issues.map(({ path, message: why }) => ({ field: path === '' ? 'body' : path, message: why })));
};

const AGAIN_AFTER_S = 1;

/** What to do when it is not known whether it happened. */
export const AGAIN = 'it may have happened, so try again with the same Idempotency-Key';

/** What a fault comes to outside. A message of somebody else's is not shown: it may hold anything. */
const problemOf = (error: Partial<Problem> & { readonly statusCode?: number; readonly code?: string }): Problem => {
  if (error.problem !== undefined) return error as Problem;
  if (isOrderfoldError(error, 'BUSY')) return problem(503, 'too much is waiting already; try again', { code: 'BUSY' });
  if (isOrderfoldError(error, 'STORE') || isOrderfoldError(error, 'CLOSED')) {
    return problem(503, `the store does not answer; ${AGAIN}`, { code: 'STORE' });
  }
  if (error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return problem(415, 'expected Content-Type: application/json');
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') return problem(413, 'expected at most 64 KiB');
  const status = error.statusCode ?? 500;
  return status < 500
    ? problem(status, oneLine(error.message ?? '').slice(0, 200))
    : problem(500, 'something failed here; it is in the log');
};

const send = (reply: FastifyReply, { problem: document }: Problem): FastifyReply => {
  if (document.status === 503) reply.header('retry-after', String(AGAIN_AFTER_S));
  if (document.status === 401) reply.header('www-authenticate', 'Bearer');
  // Lets the client finish sending and read this, instead of a reset; `requestTimeout` ends one that never finishes.
  if (document.status === 413) reply.removeHeader('connection');
  return reply.code(document.status).type('application/problem+json; charset=utf-8').send(JSON.stringify(document));
};

/** Answers with the problem document of an error; what is ours to mend goes to stderr too. */
export const answerWith = (reply: FastifyReply, error: Partial<Problem>): FastifyReply => {
  const answer = problemOf(error);
  if (answer.problem.status === 500)
    console.error(oneLine(`error ${error.name} ${error.message} ${String(error.stack).split('\n')[1] ?? ''}`));
  return send(reply, answer);
};

/** Every error of `app` becomes a problem document. */
export const answerWithProblems = (app: FastifyInstance): void => {
  app.setErrorHandler((error: Partial<Problem>, _request, reply) => answerWith(reply, error));
  app.setNotFoundHandler((_request, reply) => send(reply, problem(404, 'there is nothing here')));
};

const CLIENT_ERRORS = {
  400: 'this is no HTTP request that can be read',
  408: 'the request took too long to arrive',
  431: 'the headers are too long',
} as const;

/** The answer to what is no HTTP, comes too slowly or has too long a head. */
export const answerClientError = (error: Error & { readonly code?: string }, socket: Socket): void => {
  const status = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400;
  const { problem: document } = problem(status, CLIENT_ERRORS[status]);
  const body = JSON.stringify(document);
  if (socket.writable && error.code !== 'ECONNRESET') {
    socket.write(
      `HTTP/1.1 ${status} ${document.title}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  }
  socket.destroy();
};
