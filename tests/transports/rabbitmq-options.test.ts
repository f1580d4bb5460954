import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { rabbitmqTransport } from '../../src/transports/rabbitmq/index.ts';

const entry = new URL('../../src/transports/rabbitmq/index.ts', import.meta.url).href;

const problemOf = (options: object): string => {
  try {
    rabbitmqTransport(options as { readonly url: string });
  } catch (error) {
    expect(error).toMatchObject({ code: 'CONFIG', retryable: false });
    return (error as Error).message;
  }
  return 'none';
};

describe('the options of rabbitmqTransport', () => {
  const url = 'amqp://shop:secret@127.0.0.1:5672/shop';

  it('take an address, and nothing else is needed', () => {
    for (const good of ['amqp://localhost', 'amqps://u:p%40ss@broker.internal/v', 'amqp://[::1]:5673/%2f', url])
      expect(problemOf({ url: good })).toBe('none');
  });

  it.each([
    ['no text', 5672],
    ['nothing', undefined],
    ['another protocol', 'http://shop:secret@127.0.0.1'],
    ['no host', 'amqp://'],
    ['a password with a slash', 'amqp://shop:sec/ret@127.0.0.1'],
    ['a password that reads as a port', 'amqp://shop:12/secret@127.0.0.1'],
    ['a password with a hash', 'amqp://shop:12#secret@127.0.0.1'],
  ])('refuse an address that is %s, and never show a password', (_, bad) => {
    const problem = problemOf({ url: bad });
    expect(problem).toMatch(/^rabbitmqTransport: expected url to be /);
    expect(problem).not.toContain('secret');
    expect(problem).not.toContain('sec/');
  });

  it.each([
    [{ topic: '' }, 'topic'],
    [{ topic: 'amq.orders' }, 'topic'],
    [{ topic: 'a b' }, 'topic'],
    [{ topic: 'x'.repeat(101) }, 'topic'],
    [{ maxLength: 0 }, 'maxLength'],
    [{ maxBodyBytes: 2 ** 30 }, 'maxBodyBytes'],
    [{ timeoutMs: 99 }, 'timeoutMs'],
    [{ prefetch: 5 }, 'prefetch'],
  ])('refuse %j', (more, name) => {
    expect(problemOf({ url, ...more })).toContain(name);
  });
});

/** A process without amqplib in its reach. */
const program = `
  import { registerHooks } from 'node:module';
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier !== 'amqplib') return next(specifier, context);
      throw Object.assign(new Error("Cannot find package 'amqplib'"), { code: 'ERR_MODULE_NOT_FOUND' });
    },
  });
  const { rabbitmqTransport } = await import(${JSON.stringify(entry)});
  const transport = rabbitmqTransport({ url: 'amqp://127.0.0.1:9' });
  const fault = await transport.open({ subscriptions: ['mail'], shards: 1 }).catch((error) => error);
  await transport.close();
  console.log(JSON.stringify([fault.code, fault.retryable, fault.message, fault.cause.message]));
`;

describe('rabbitmqTransport without amqplib', () => {
  it('is imported and made all the same, and says at the first use what to install', () => {
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual([
      'CONFIG',
      false,
      'rabbitmqTransport needs amqplib: npm install amqplib',
      "Cannot find package 'amqplib'",
    ]);
  });
});
