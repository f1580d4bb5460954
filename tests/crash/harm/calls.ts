// Stands between the steps and the services: tells the moments of a call, and holds handlers up that have their reply.
import { subscribe } from 'node:diagnostics_channel';
import { setTimeout as sleep } from 'node:timers/promises';
import { happened } from './harm.ts';
import { heldUp, pass } from './suffering.ts';

const real = globalThis.fetch;

const acts = (method: string | undefined): boolean => method === 'POST' || method === 'DELETE';

subscribe('undici:request:bodySent', (message) => {
  const { request } = message as { readonly request: { readonly method: string } };
  if (acts(request.method)) pass('amid a call');
});

const block = (forMs: number): void => {
  for (const until = performance.now() + forMs; performance.now() < until; );
};

globalThis.fetch = async (input, init) => {
  const answer = await real(input, init);
  if (!acts(init?.method) || !answer.ok) return answer;
  pass('between effect and commit');
  const held = await heldUp();
  if (held === undefined) return answer;
  happened(held.kind === 'block' ? 'a handler blocked its process' : 'a handler hung');
  if (held.kind === 'block') block(held.forMs);
  else await sleep(held.forMs);
  return answer;
};
