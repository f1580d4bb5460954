import { copyFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeServer } from '../support/describe-server.ts';
import { hasRabbitmq, type OwnRabbitmq, ownRabbitmq } from '../support/own-rabbitmq.ts';
import { audit } from './audit/audit.ts';
import { planBrokerStrikes } from './broker/broker-strikes.ts';
import { AGAIN, OVERTAKEN, openShopBroker } from './broker/shop-broker.ts';
import { type ChaosRun, runChaos } from './chaos-run.ts';
import { beginDay, type Day } from './day.ts';
import type { Evidence } from './evidence.ts';
import { reportOn } from './report.ts';
import { until } from './workplace.ts';

const SECONDS = Number(process.env.CHAOS_SECONDS ?? 60);
const SEED = Number(process.env.CHAOS_SEED ?? 1 + Math.floor(Math.random() * 1_000_000));
/** For a shop that will never settle. */
const SOON_MS = 4000;

/** A short day over a broker that brings everything twice and nothing in order, with workers that are broken. */
const brokenDay = async (own: OwnRabbitmq, broken: string, seed: number): Promise<{ readonly day: Day; readonly evidence: Evidence }> => {
  const broker = await openShopBroker({ url: own.url }, seed);
  const preload = [`tests/crash/broken/${broken}.ts`];
  const day = await beginDay({ seed, ordersPerSecond: 10, workers: 2, broker, preload, settleWithinMs: SOON_MS });
  const detour = broker.detour(6000);
  await until('some orders are in', async () => day.load.accepted.size >= 50);
  await detour;
  return { day, evidence: await day.end() };
};

describeServer('TEST_AMQP_URL', 'RabbitMQ', () => {
  describe.skipIf(!hasRabbitmq)(
    'a shop over a broker that is killed, down, full, locked and cut off under load (needs rabbitmq-server)',
    () => {
      const said: string[] = [];
      let own: OwnRabbitmq;
      let chaos: ChaosRun;
      let skipping: Awaited<ReturnType<typeof brokenDay>>;
      let dropping: Awaited<ReturnType<typeof brokenDay>>;
      beforeAll(
        async () => {
          console.log(`chaos with a broker, seed ${SEED}`);
          own = await ownRabbitmq();
          [skipping, dropping] = await Promise.all([
            brokenDay(own, 'skips-what-is-missing', 7),
            brokenDay(own, 'drops-every-twentieth', 8),
          ]);
          const broker = await openShopBroker({ url: own.url, own }, SEED);
          const options = { seed: SEED, seconds: SECONDS, workers: 3, ordersPerSecond: 5, orders: 200, broker, brokerRounds: 1 };
          chaos = await runChaos(options, (text) => void said.push(text));
        },
        SECONDS * 1000 + 600_000,
      );
      afterAll(async () => {
        await Promise.all([chaos?.forget(), skipping?.day.forget(), dropping?.day.forget()]);
        await own?.remove();
      }, 60_000);

      it('R1 R2 R10 R28 loses nothing, does nothing twice, publishes everything in order, and goes on by itself', {
        timeout: 60_000,
      }, async () => {
        const { faults, text } = await reportOn(chaos.evidence);
        expect(faults, `seed ${SEED}\n${said.join('\n')}\n${text}`).toEqual([]);
        expect(chaos.evidence.accepted.length).toBeGreaterThanOrEqual(200);
      });

      it('was struck in every way there is', () => {
        const { struck, broker } = chaos.evidence;
        const kinds = planBrokerStrikes(SEED, 1, true)[0]?.map(({ strike }) => strike.kind) ?? [];
        expect(kinds).toHaveLength(9);
        const events = [...(broker?.heard.values() ?? [])].flat().length;
        for (const kind of [...kinds, 'kill worker', OVERTAKEN])
          expect([kind, struck[kind]]).toEqual([kind, expect.toSatisfy((n) => n > 0)]);
        expect(struck[AGAIN], 'every message came twice').toBeGreaterThanOrEqual(events);
      });

      const doctored = (change: (evidence: Evidence) => Partial<Evidence>): Evidence => ({ ...chaos.evidence, ...change(chaos.evidence) });
      const heard = (change: (versions: readonly { readonly version: number; readonly type: string }[]) => typeof versions) =>
        doctored(({ broker }) => ({
          broker: {
            waiting: {},
            heard: new Map([...(broker?.heard ?? [])].map(([stream, events], nth) => [stream, nth === 3 ? change(events) : events])),
          },
        }));

      it.each<[string, RegExp, () => Evidence]>([
        ['another service had not heard of an event', /heard of every event/, () => heard((events) => events.slice(1))],
        [
          'another service had heard of an event that is not there',
          /heard of every event/,
          () => heard((events) => [...events, { version: 1000, type: 'OrderPlaced' }]),
        ],
        [
          'another service had heard of it in another order',
          /in order/,
          () => heard(([first, second, ...rest]) => [second, first, ...rest] as typeof rest),
        ],
        [
          'a message were left',
          /no message is left/,
          () => doctored(({ broker }) => ({ broker: { heard: new Map(), ...broker, waiting: { 'topic.payment.3': 1 } } })),
        ],
        [
          'the relay had something to do',
          /the relay has published/,
          () => {
            const { database } = chaos.evidence;
            copyFileSync(database, `${database}.doctored`);
            const db = new DatabaseSync(`${database}.doctored`);
            db.exec("UPDATE checkpoints SET low = low - 1 WHERE subscription = 'relay' AND low > 0");
            db.close();
            return doctored(() => ({ database: `${database}.doctored` }));
          },
        ],
      ])('would not have passed if %s', async (_, rule, evidence) => {
        const { faults } = await audit(evidence());
        expect(faults.map((fault) => fault.rule).filter((name) => rule.test(name))).not.toEqual([]);
      });

      it('would not have passed with workers that skip what a broker has not brought', async () => {
        const { faults } = await audit(skipping.evidence);
        expect(faults.map(({ rule }) => rule)).toContain('settled or behind an open dead letter, before any redrive');
      });

      it('would not have passed with a relay that drops every twentieth message', async () => {
        const { faults } = await audit(dropping.evidence);
        expect(faults.map(({ rule }) => rule)).toContain('another service has heard of every event through the broker');
      });
    },
  );
});
