import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSettings } from '../../examples/settings.ts';

describe('the settings', () => {
  it('are those of the contract where nothing is set', () => {
    const { settings, refused } = readSettings({});
    expect(refused).toEqual([]);
    expect(settings).toEqual({
      host: '127.0.0.1',
      port: 3000,
      database: { kind: 'sqlite', path: path.resolve('data/orders.db') },
      broker: undefined,
      servicesUrl: undefined,
      simulation: {
        seed: expect.any(Number),
        paymentFailureRate: 0.2,
        paymentDeclineRate: 0.05,
        paymentLostReplyRate: 0.02,
        inventoryRejectRate: 0.02,
        latencyMs: 5,
      },
      concurrency: 64,
      leaseMs: 10_000,
      retryBaseMs: 200,
      retryMaxAttempts: 6,
      retryMaxMs: 60_000,
      serviceTimeoutMs: 2000,
      orderDeadlineMs: 900_000,
      graceMs: 10_000,
      adminToken: undefined,
      quiet: false,
    });
  });

  it.each([
    ['sqlite:orders.db', path.resolve('orders.db')],
    ['sqlite:./a b/orders.db', path.resolve('a b/orders.db')],
    ['sqlite:///tmp/orders.db', path.resolve('/tmp/orders.db')],
    ['sqlite:/tmp/orders.db', path.resolve('/tmp/orders.db')],
    ['sqlite:C:\\data\\orders.db', path.resolve('C:\\data\\orders.db')],
    ['', path.resolve('data/orders.db')],
  ])('take %j for a file', (url, file) => {
    const { settings, refused } = readSettings({ DATABASE_URL: url });
    expect(refused).toEqual([]);
    expect(settings.database).toEqual({ kind: 'sqlite', path: file });
  });

  it.each([
    ['amqp://guest:guest@localhost', 'amqp://guest:guest@localhost', 'orderfold'],
    ['amqps://u:p%40@mq.example:5671/shop?heartbeat=5&topic=shop.v2', 'amqps://u:p%40@mq.example:5671/shop?heartbeat=5', 'shop.v2'],
    ['AMQP://localhost?topic=a', 'amqp://localhost', 'a'],
  ])('take %j for a broker', (given, url, topic) => {
    const { settings, refused } = readSettings({ TRANSPORT_URL: given });
    expect(refused).toEqual([]);
    expect(settings.broker).toEqual({ kind: 'rabbitmq', url, topic });
  });

  it.each([
    ['kafka://h', 'kafka: is not built yet'],
    ['nats://h', 'nats: is not built yet'],
    ['redis://h', 'redis: is not built yet'],
    ['http://h', 'got http:'],
    ['h', 'got no URL'],
    ['amqp://h?topic=a b', 'expected a topic of 1 to 100 letters'],
    ['amqp://h?topic=', 'expected a topic of 1 to 100 letters'],
  ])('refuse %j for a broker', (url, problem) => {
    const { settings, refused } = readSettings({ TRANSPORT_URL: url });
    expect(settings.broker).toBeUndefined();
    expect(refused).toEqual([expect.stringContaining(problem)]);
    expect(refused[0]).toMatch(/^TRANSPORT_URL: /);
  });

  it.each(['0', '1', '0.5', '.5', '1.0'])('take a rate of %s', (rate) => {
    const { settings, refused } = readSettings({ PAYMENT_FAILURE_RATE: rate });
    expect(refused).toEqual([]);
    expect(settings.simulation.paymentFailureRate).toBe(Number(rate));
  });

  it('never repeat what may be a password', () => {
    const secret = 'hunter2';
    const env = {
      DATABASE_URL: `mysql://u:${secret}@h`,
      TRANSPORT_URL: `x${secret}`,
      SERVICES_URL: `http://u:${secret}@h`,
      ADMIN_TOKEN: `${secret} `,
    };
    const { refused } = readSettings(env);
    expect(refused.map((line) => line.split(':')[0])).toEqual(expect.arrayContaining(Object.keys(env)));
    expect(refused.join()).not.toContain(secret);
  });
});
