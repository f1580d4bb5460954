import { copyFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { audit } from './audit/audit.ts';
import { planBrokerStrikes } from './broker/broker-strikes.ts';
import { type ChaosOptions, runChaos } from './chaos-run.ts';
import type { Evidence } from './evidence.ts';
import { reportOn } from './report.ts';
import { CARD, PASSWORD, TOKEN } from './secrets.ts';
import { planStrikes } from './strikes.ts';

const SECONDS = Number(process.env.CHAOS_SECONDS ?? 14);
const SEED = Number(process.env.CHAOS_SEED ?? 1 + Math.floor(Math.random() * 1_000_000));

const run = async (options: Pick<ChaosOptions, 'seconds' | 'seed' | 'workers' | 'orders' | 'preload'>) => {
  const said: string[] = [];
  const chaos = await runChaos({ ordersPerSecond: 14, ...options }, (text) => void said.push(text));
  return { ...chaos, said };
};

describe('a shop whose processes are killed, frozen and restarted under load, beside services that lie', () => {
  let chaos: Awaited<ReturnType<typeof run>>;
  let keyless: Awaited<ReturnType<typeof run>>;
  beforeAll(
    async () => {
      console.log(`chaos seed ${SEED}`);
      const preload = ['tests/crash/broken/forgets-keys.ts'];
      keyless = await run({ seconds: 1, seed: 7, workers: 1, orders: 60, preload });
      chaos = await run({ seconds: SECONDS, seed: SEED, workers: 3, orders: 200 });
    },
    SECONDS * 1000 + 600_000,
  );
  afterAll(() => Promise.all([chaos?.forget(), keyless?.forget()]));

  it('keeps every accepted order, charges once, settles all, says no secret and ends by itself', { timeout: 60_000 }, async () => {
    const { faults, text } = await reportOn(chaos.evidence);
    expect(faults, `seed ${SEED}\n${chaos.said.join('\n')}\n${text}`).toEqual([]);
    expect(chaos.evidence.accepted.length).toBeGreaterThanOrEqual(200);
  });

  /** The same run as if something else had happened: `rule` has to notice. */
  const doctored = (change: (evidence: Evidence, db: DatabaseSync) => Partial<Evidence> | undefined): Evidence => {
    const { evidence } = chaos;
    const database = `${evidence.database}.doctored`;
    copyFileSync(evidence.database, database);
    const db = new DatabaseSync(database);
    try {
      return { ...evidence, database, ...change(evidence, db) };
    } finally {
      db.close();
    }
  };
  const sql = (text: string) => (_: Evidence, db: DatabaseSync) => {
    db.exec(text);
    return undefined;
  };
  const one = "(SELECT id FROM streams WHERE status = 'confirmed' ORDER BY id LIMIT 1)";
  const books = (change: (books: Evidence['services']['books']) => Partial<Evidence['services']['books']>) => (evidence: Evidence) => ({
    services: { ...evidence.services, books: { ...evidence.services.books, ...change(evidence.services.books) } },
  });

  it.each<[string, RegExp, Parameters<typeof doctored>[0]]>([
    ['an accepted order is gone', /every accepted order is there/, sql(`DELETE FROM streams WHERE id = ${one}`)],
    ['an order is there that nobody placed', /S25/, ({ asked }) => ({ asked: asked - 1 })],
    [
      'two customers got one order',
      /S25/,
      ({ accepted: [first, second, ...rest] }) => ({
        accepted: [first, { ...second, orderId: first?.orderId }, ...rest] as Evidence['accepted'],
      }),
    ],
    ['an event is lost', /S16 streams/, sql(`DELETE FROM events WHERE stream = ${one} AND version = 5`)],
    ['a position is left out', /S16 shards/, sql('DELETE FROM events WHERE id = (SELECT min(id) FROM events)')],
    [
      'a stored state is not what happened',
      /S14/,
      sql(`UPDATE streams SET state = replace(state, '"confirmed"', '"placed"') WHERE id = ${one}`),
    ],
    ['a stored status is not what happened', /S14/, sql(`UPDATE streams SET status = 'cancelled' WHERE id = ${one}`)],
    [
      'a step started too early',
      /laws/,
      sql(
        `UPDATE events SET version = -version WHERE stream = ${one}; UPDATE events SET version = CASE version WHEN -4 THEN 6 WHEN -6 THEN 4 ELSE -version END WHERE stream = ${one}`,
      ),
    ],
    ['an order is not settled', /settled/, sql(`DELETE FROM events WHERE stream = ${one} AND type = 'OrderConfirmed'`)],
    [
      'an order is charged under another key',
      /S1 one success/,
      books(({ charges }) => ({ charges: new Map([...charges].map(([key, charge]) => [`${key}!`, charge])) })),
    ],
    [
      'a call came under another key',
      /S20 every call/,
      books(({ calls }) => ({
        calls: calls.map((call) => (call.path === '/refunds' ? { ...call, key: call.key.replace(':undo', '') } : call)),
      })),
    ],
    ['nobody is told', /told/, books(() => ({ notifications: new Map() }))],
    [
      'a dead letter is left',
      /R1 R2/,
      sql("UPDATE parked SET state = 'dead' WHERE n = (SELECT min(n) FROM parked WHERE kind = 'delivery')"),
    ],
    ['a delivery got an attempt too many', /R3/, () => ({ maxAttempts: 1 })],
    [
      'a delivery was done although it had died',
      /R2 never/,
      sql(
        `UPDATE parked SET state = 'done', detail = json_insert(detail, '$.ledger.attempts[#]', json('{"generation":' || generation || ',"attempt":5,"startedAt":"2026-01-01T00:00:00.000Z","endedAt":"2026-01-01T00:00:00.000Z","worker":"w","error":{"name":"Error","code":"HANDLER","message":"no","frame":"","causes":[],"permanent":true},"delayMs":null,"rule":"permanent error"}')) WHERE n = (SELECT min(n) FROM parked WHERE kind = 'delivery')`,
      ),
    ],
    [
      'an order was forgotten before anybody redrove it',
      /before any redrive/,
      ({ quiet, accepted }) => ({ quiet: { ...quiet, forgotten: [accepted[0]?.orderId ?? ''] } }),
    ],
    ['a row of a view is missing', /view/, sql("DELETE FROM documents WHERE collection = 'seen' AND key = 'types'")],
    [
      'a view has seen an event twice',
      /view/,
      sql(
        "UPDATE documents SET value = json_insert(value, '$[#]', 1) WHERE collection = 'seen' AND key = (SELECT min(key) FROM documents WHERE collection = 'seen')",
      ),
    ],
    [
      'a redrive went twice',
      /R19/,
      sql("UPDATE parked SET generation = generation + 1 WHERE n = (SELECT min(n) FROM parked WHERE kind = 'delivery')"),
    ],
    ['a counter is off', /counters/, sql("UPDATE statuses SET streams = streams + 1 WHERE status = 'confirmed'")],
    ['something was never handled', /counters/, sql("UPDATE checkpoints SET low = low - 1 WHERE subscription = 'payment' AND low > 0")],
    ['a lease was kept', /leases/, sql("UPDATE checkpoints SET owner = 'x', clean = 0 WHERE shard = 1")],
    [
      'a rejection went unhandled',
      /R25 no unhandled/,
      ({ logs }) => ({ logs: [...logs, { name: 'worker 3', lines: ['[UnhandledPromiseRejection: …]'] }] }),
    ],
    ['a card number is in a log', /R24 no secret in a log/, ({ logs }) => ({ logs: [...logs, { name: 'worker 3', lines: [CARD] }] })],
    ['a token is in a metric', /R24 .* metric/, ({ shown }) => ({ shown: [...shown, `x{token="${TOKEN}"} 1`] })],
    ['a password is in an error', /R24 .* file/, sql(`UPDATE parked SET detail = json_set(detail, '$.error', '${PASSWORD}')`)],
    ['a process had to be killed', /R25 SIGTERM/, ({ endings }) => ({ endings: [...endings, { name: 'worker 3', ending: 'SIGKILL' }] })],
    ['nothing struck', /faults struck/, () => ({ struck: {} })],
    [
      'a fault that was aimed missed every time',
      /faults struck/,
      ({ struck, hadToStrike }) => ({ struck: { ...struck, [hadToStrike[0] ?? '']: 0 } }),
    ],
    ['an answer was wrong', /while it ran/, () => ({ faults: ['a wrong answer'] })],
  ])('would not have passed if %s', async (_, rule, change) => {
    const { faults } = await audit(doctored(change));
    expect(faults.map((fault) => fault.rule).filter((name) => rule.test(name))).not.toEqual([]);
  });

  it('would not have passed with a services client that ignores the effect key', async () => {
    const { faults } = await audit(keyless.evidence);
    expect(faults.map(({ text }) => text).join('\n')).toMatch(
      /has \d+ (charges that were not refunded|reservations)|of \d+ are captured|was notified \d+ times/,
    );
  });
});

describe('a plan of strikes', () => {
  it('is the same for the same seed, another for another, and strikes each thing before any strikes often', () => {
    const plan = planStrikes(5, 40, 3, 1500);
    expect(planStrikes(5, 40, 3, 1500)).toEqual(plan);
    expect(planStrikes(6, 40, 3, 1500)).not.toEqual(plan);
    const kinds = new Set(plan.map(({ strike }) => strike.kind));
    expect([...kinds].sort()).toEqual(
      expect.arrayContaining(['block worker', 'disk full', 'kill', 'kill API', 'late subscription', 'read-only', 'services']),
    );
    expect(plan.length).toBeGreaterThan(20);
  });

  it('has each thing strike a broker once a round, and only ways to one that others use too', () => {
    const kinds = (isOwn: boolean, rounds: number) =>
      planBrokerStrikes(5, rounds, isOwn).map((round) => round.map(({ strike }) => strike.kind).sort());
    const [first, second] = kinds(true, 2);
    expect(first).toEqual(second);
    expect(new Set(first).size).toBe(first?.length);
    expect(first).toEqual(
      expect.arrayContaining(['broker down', 'full broker', 'kill broker', 'wrong password', ...(kinds(false, 1)[0] ?? [])]),
    );
    expect(kinds(false, 1)).toEqual([['cut link', 'detour', 'half-open link', 'reset link', 'slow link with resets']]);
    expect(planBrokerStrikes(5, 3, true)).toEqual(planBrokerStrikes(5, 3, true));
    expect(planBrokerStrikes(6, 3, true)).not.toEqual(planBrokerStrikes(5, 3, true));
  });
});
