import { setTimeout as sleep } from 'node:timers/promises';
import type { OwnRabbitmq } from '../../support/own-rabbitmq.ts';
import { PASSWORD } from '../secrets.ts';
import { until } from '../workplace.ts';
import type { BrokerStrike } from './broker-strikes.ts';
import type { ShopBroker } from './shop-broker.ts';

/** Each chunk, in both directions. */
const SLOW_MS = 150;
const RESETS_APART_MS = 900;
const PATIENCE_MS = 30_000;
const WELL = '0.4';

/** Whether it grows by this time, so that what is done to it meets somebody. */
const grows = (count: () => number, withinMs = PATIENCE_MS): Promise<boolean> => {
  const before = count();
  return until('somebody is there to be struck', async () => count() > before, withinMs);
};

/** The broker's own tools are slow, and fail now and then on a machine that is busy; what must be put right is tried again. */
const insist = async ({ control }: OwnRabbitmq, ...args: readonly string[]): Promise<void> => {
  for (let tries = 1; ; tries += 1) {
    try {
      return await control(...args);
    } catch (error) {
      if (tries === 5) throw error;
      await sleep(500);
    }
  }
};

const strikeLink = async (strike: BrokerStrike & { readonly forMs?: number }, { proxy }: ShopBroker): Promise<boolean> => {
  const { kind, forMs = 0 } = strike;
  const comeBack = (): Promise<boolean> => grows(() => proxy.taken);
  // Somebody talks to the broker just now.
  await grows(() => proxy.sentBytes);
  if (kind === 'cut link') {
    await proxy.cut();
    await sleep(forMs);
    await proxy.mend();
    return comeBack();
  }
  if (kind === 'half-open link') {
    proxy.swallow();
    const swallowed = await grows(() => proxy.sentBytes, forMs).catch(() => false);
    await sleep(forMs);
    const [back] = await Promise.all([comeBack(), proxy.mend()]);
    return swallowed && back;
  }
  if (kind === 'reset link') {
    const back = comeBack();
    proxy.reset();
    return back;
  }
  proxy.slow(SLOW_MS);
  const before = proxy.taken;
  for (const end = performance.now() + forMs; performance.now() < end; await sleep(RESETS_APART_MS)) proxy.reset();
  // What is still on its way is not to be overtaken.
  proxy.reset();
  await proxy.mend();
  return proxy.taken > before || comeBack();
};

const strikeOwn = async (strike: BrokerStrike, broker: ShopBroker, own: OwnRabbitmq): Promise<boolean> => {
  const { proxy, copier, listener, user } = broker;
  const published = (): Promise<boolean> => grows(() => listener.messages);
  switch (strike.kind) {
    case 'kill broker':
    case 'broker down':
      await published();
      await own.kill();
      if (strike.kind === 'broker down') await sleep(strike.forMs);
      await own.start();
      return published();
    case 'wrong password': {
      await own.control('change_password', user, `not ${PASSWORD}`);
      const refused = grows(() => proxy.taken);
      refused.catch(() => undefined);
      try {
        proxy.reset();
        await sleep(strike.forMs);
      } finally {
        await insist(own, 'change_password', user, PASSWORD);
      }
      return (await refused) && published();
    }
    default: {
      const told = grows(() => copier.blocked);
      told.catch(() => undefined);
      try {
        await own.control('set_vm_memory_high_watermark', 'absolute', '1MB');
        await copier.knock();
        await told;
        await sleep('forMs' in strike ? strike.forMs : 0);
      } finally {
        await insist(own, 'set_vm_memory_high_watermark', WELL);
      }
      return published();
    }
  }
};

/** Resolves with whether it struck, when it is over. */
export const strikeBroker = async (strike: BrokerStrike, broker: ShopBroker): Promise<boolean> => {
  const { own } = broker;
  switch (strike.kind) {
    case 'detour':
      return broker.detour(strike.forMs);
    case 'kill broker':
    case 'broker down':
    case 'wrong password':
    case 'full broker':
      return own !== undefined && strikeOwn(strike, broker, own);
    default:
      return strikeLink(strike, broker);
  }
};
