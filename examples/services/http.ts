import { permanent, refused } from 'orderfold';
import type { Call, No, Services } from './services.ts';

/** More than this is no answer of a service we know. */
const LONGEST_REPLY = 64 * 1024;

type Fields = Readonly<Record<string, unknown>>;

interface Reply {
  readonly status: number;
  readonly body: Fields;
}

const fault = (code: string, message: string, more: { readonly cause?: unknown; readonly retryAfterMs?: number } = {}): Error => {
  const { cause, ...facts } = more;
  return Object.assign(new Error(message, cause === undefined ? undefined : { cause }), { code, ...facts });
};

/** Seconds or a date, as a proxy may have it. @see RFC 9110, 10.2.3 */
const retryAfterMs = (header: string | null): number | undefined => {
  if (header === null) return undefined;
  const waitMs = /^\d{1,9}$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(waitMs) && waitMs > 0 ? waitMs : undefined;
};

const textOf = async (response: Response): Promise<string> => {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > LONGEST_REPLY) throw new Error(`a reply of more than ${LONGEST_REPLY} characters`);
  }
  return text + decoder.decode();
};

const fieldsOf = (text: string): Fields => {
  const value: unknown = JSON.parse(text);
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
};

const codeOf = (error: unknown): string | undefined => {
  for (let link = error; link instanceof Error; link = link.cause) {
    const { code } = link as { readonly code?: unknown };
    if (typeof code === 'string') return code;
  }
  return undefined;
};

const textIn = (reply: Reply, field: string, what: string): string => {
  const value = reply.body[field];
  if (typeof value === 'string' && value !== '') return value;
  // It said yes, so it may well have happened: ask again under the same key.
  throw fault('LOST_REPLY', `${what} answered ${reply.status} without ${field}`);
};

/** A reply that speaks of another order, amount or currency is no answer to this request, and no repetition makes it one. */
const checkEcho = ({ body }: Reply, asked: Fields, what: string): void => {
  const other = ['orderId', 'amountMinor', 'currency', 'chargeId'].find(
    (field) => asked[field] !== undefined && body[field] !== undefined && body[field] !== asked[field],
  );
  if (other !== undefined) throw permanent(fault('WRONG_REPLY', `${what} answered for another ${other}`));
};

/** Payment, inventory and notification behind one URL. No call takes longer than `timeoutMs`. */
export const httpServices = ({ url, timeoutMs }: { readonly url: URL; readonly timeoutMs: number }): Services => {
  const base = url.href.replace(/\/$/, '');

  /** One request under its key. Resolves with what is an answer to it: 2xx and the statuses in `answers`. */
  const send = async (
    method: string,
    path: string,
    { key, signal, traceparent }: Call,
    body?: Fields,
    answers: readonly number[] = [],
  ): Promise<Reply> => {
    const what = `${method} /${path.split(/[/?]/)[1]}`;
    const deadline = AbortSignal.timeout(timeoutMs);
    let response: Response;
    let text: string;
    try {
      response = await fetch(base + path, {
        method,
        headers: {
          'idempotency-key': key,
          ...(traceparent !== undefined && { traceparent }),
          ...(body && { 'content-type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
        redirect: 'manual',
        signal: AbortSignal.any([signal, deadline]),
      });
      text = await textOf(response);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (deadline.aborted) throw fault('ETIMEDOUT', `${what}: no answer within ${timeoutMs} ms`, { cause: error });
      throw fault(codeOf(error) ?? 'LOST_REPLY', `${what}: the connection failed`, { cause: error });
    }
    const { status, headers } = response;
    if (!response.ok && !answers.includes(status)) {
      const waitMs = retryAfterMs(headers.get('retry-after'));
      const error = fault(`HTTP_${status}`, `${what} answered ${status}`, waitMs === undefined ? {} : { retryAfterMs: waitMs });
      throw status >= 400 && status < 500 && status !== 408 && status !== 429 ? permanent(error) : error;
    }
    try {
      return { status, body: text === '' ? {} : fieldsOf(text) };
    } catch (error) {
      throw fault('LOST_REPLY', `${what} answered ${status} with something that is not JSON`, { cause: error });
    }
  };

  const no = ({ body }: Reply, otherwise: string): No =>
    refused(typeof body.reason === 'string' && body.reason !== '' ? body.reason : otherwise);

  return {
    async charge(charge, call) {
      const reply = await send('POST', '/charges', call, { ...charge }, [402]);
      if (reply.status === 402) return no(reply, 'the payment was declined');
      checkEcho(reply, { ...charge }, 'POST /charges');
      return { chargeId: textIn(reply, 'chargeId', 'POST /charges') };
    },
    async findCharge(call) {
      const reply = await send('GET', `/charges?key=${encodeURIComponent(call.key)}`, call, undefined, [404]);
      return reply.status === 404 ? undefined : { chargeId: textIn(reply, 'chargeId', 'GET /charges') };
    },
    async refund(refund, call) {
      checkEcho(await send('POST', '/refunds', call, { ...refund }), { ...refund }, 'POST /refunds');
    },
    async reserve({ orderId, items }, call) {
      const reply = await send('POST', '/reservations', call, { orderId, items }, [409]);
      if (reply.status === 409) return no(reply, 'the stock does not suffice');
      checkEcho(reply, { orderId }, 'POST /reservations');
      return { reservationId: textIn(reply, 'reservationId', 'POST /reservations') };
    },
    async release({ reservationId }, call) {
      await send('DELETE', `/reservations/${encodeURIComponent(reservationId)}`, call);
    },
    async notify(notification, call) {
      await send('POST', '/notifications', call, { ...notification });
    },
  };
};
