import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeServer } from '../support/describe-server.ts';
import { hasRabbitmq, type OwnRabbitmq, ownRabbitmq } from '../support/own-rabbitmq.ts';
import { audit } from './audit/audit.ts';
import { openShopBroker, type ShopBroker } from './broker/shop-broker.ts';
import { type ChaosOptions, runChaos } from './chaos-run.ts';
import { reportOn } from './report.ts';

const SECONDS = Number(process.env.CHAOS_SECONDS ?? 60);
const SEED = Number(process.env.CHAOS_SEED ?? 1 + Math.floor(Math.random() * 1_000_000));

/** What has to have struck at least once, whatever else did. */
const WITH_THE_BROKER = [
  'cut link',
  'half-open link',
  'slow link with resets',
  'reset link',
  'detour',
  'kill broker',
  'broker down',
  'wrong password',
  'full broker',
  'messages that came again',
  'messages that came after later ones of their shard',
] as const;

describeServer('TEST_AMQP_URL', 'a shop over RabbitMQ', () => {
  describe.skipIf(!hasRabbitmq)('whose broker and whose way to it are struck as well as its processes (needs rabbitmq-server)', () => {
    let own: OwnRabbitmq;
    const brokers: ShopBroker[] = [];
    const run = async (
      options: Pick<ChaosOptions, 'seconds' | 'seed' | 'workers' | 'orders' | 'preload' | 'brokerRounds'>,
      isOwn: boolean,
    ) => {
      const said: string[] = [];
      const broker = await openShopBroker({ url: own.url, own: isOwn ? own : undefined }, options.seed);
      brokers.push(broker);
      const chaos = await runChaos({ ordersPerSecond: 6, broker, ...options }, (text) => void said.push(text));
      return { ...chaos, said };
    };
    let chaos: Awaited<ReturnType<typeof run>>;
    let dropping: Awaited<ReturnType<typeof run>>;

    beforeAll(
      async () => {
        console.log(`chaos seed ${SEED}`);
        own = await ownRabbitmq();
        dropping = await run({ seconds: 1, seed: 7, workers: 1, orders: 30, preload: ['tests/crash/broken/drops-messages.ts'] }, false);
        chaos = await run({ seconds: SECONDS, seed: SEED, workers: 3, orders: 200, brokerRounds: 1 }, true);
      },
      SECONDS * 1000 + 900_000,
    );
    afterAll(async () => {
      await Promise.all(brokers.map((broker) => broker.close()));
      await own?.remove();
      await Promise.all([chaos?.forget(), dropping?.forget()]);
    }, 60_000);

    it('R1 R16 R28 keeps every accepted order, settles all, and other services hear of every event', { timeout: 60_000 }, async () => {
      const { faults, text } = await reportOn(chaos.evidence);
      expect(faults, `seed ${SEED}\n${chaos.said.join('\n')}\n${text}`).toEqual([]);
      expect(chaos.evidence.accepted.length).toBeGreaterThanOrEqual(200);
      expect(WITH_THE_BROKER.filter((kind) => (chaos.evidence.struck[kind] ?? 0) === 0)).toEqual([]);
    });

    it('would not have passed if a client lost messages and said that they were confirmed', async () => {
      const { faults } = await audit(dropping.evidence);
      expect(faults.map(({ rule }) => rule)).toContain('another service has heard of every event through the broker');
      // The log has filled in what the workers did not get.
      expect(faults.filter(({ rule }) => /settled/.test(rule))).toEqual([]);
    });
  });
});
