import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, ask } from '../examples/processes.ts';
import { TOKEN } from './secrets.ts';

export const OPERATOR = { by: 'chaos', reason: 'the services are back' } as const;
const AS_OPERATOR = { authorization: `Bearer ${TOKEN}` };
const BETWEEN_TRIES_MS = 100;

/** The HTTP producer as its clients see it, some of whom are patient. */
export interface ShopClient {
  /** Asks until it is answered by something other than 503; rejects when `signal` fires. */
  patiently(method: string, target: string, body: unknown, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Answer>;
  /** One try; undefined if there was no answer. */
  once(method: string, target: string, body?: unknown): Promise<Answer | undefined>;
  /** Tries that ended in a broken connection, and in 503. */
  readonly unanswered: number;
  readonly unavailable: number;
  /** 503 without `Retry-After`, and whatever else an answer must not be. */
  readonly faults: readonly string[];
}

export const shopClient = (url: string): ShopClient => {
  const faults: string[] = [];
  let unanswered = 0;
  let unavailable = 0;

  const once = async (method: string, target: string, body?: unknown, headers: Readonly<Record<string, string>> = AS_OPERATOR) => {
    let answer: Answer;
    try {
      answer = await ask(url, method, target, body, headers);
    } catch {
      unanswered += 1;
      return undefined;
    }
    if (answer.status === 503) {
      unavailable += 1;
      if (!answer.headers.has('retry-after')) faults.push(`${method} ${target} answered 503 without Retry-After`);
    }
    if (answer.status === 500) faults.push(`${method} ${target} answered 500: ${answer.text.slice(0, 200)}`);
    return answer;
  };

  return {
    once: (method, target, body) => once(method, target, body),
    async patiently(method, target, body, headers, signal) {
      for (;;) {
        signal.throwIfAborted();
        const answer = await once(method, target, body, headers);
        if (answer !== undefined && answer.status !== 503) return answer;
        await sleep(BETWEEN_TRIES_MS);
      }
    },
    get unanswered() {
      return unanswered;
    },
    get unavailable() {
      return unavailable;
    },
    faults,
  };
};
