import { request } from 'node:http';
import { connect } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask, book, openWorkshop, SMOOTH } from './processes.ts';

const workshop = openWorkshop();
let url = '';
let api: ReturnType<typeof workshop.start>;

beforeAll(async () => {
  api = workshop.start('api.mjs', { ...SMOOTH, DATABASE_URL: workshop.database() });
  url = await api.url();
});
afterAll(() => workshop[Symbol.asyncDispose]());

const post = (body: string | Uint8Array, headers: Record<string, string> = {}) => ask(url, 'POST', '/orders', body, headers);
const text = JSON.stringify(book);
const withItem = (item: object | string) =>
  text.replace(
    /\[\{.*\}\]/,
    `[${typeof item === 'string' ? item : JSON.stringify({ sku: 'a', quantity: 1, unitPriceMinor: 1, ...item })}]`,
  );
const withCustomer = (json: string) => text.replace('"c1"', json);

/** Sends raw bytes and gives what came back until the other side closed. */
const raw = (bytes: string | readonly string[], patienceMs = 12_000): Promise<string> =>
  new Promise((resolve, reject) => {
    const { port, hostname } = new URL(url);
    const socket = connect(Number(port), hostname, async () => {
      for (const part of [bytes].flat()) {
        if (!socket.writable) return;
        socket.write(part);
        await sleep(5);
      }
    });
    let got = '';
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`still open after ${patienceMs} ms: ${got}`));
    }, patienceMs);
    socket.on('data', (chunk) => {
      got += chunk;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(got);
    });
  });

describe('a body that is no order', () => {
  it.each([
    ['nothing', '', 400],
    ['half an object', '{', 400],
    ['a number', '1', 400],
    ['null', 'null', 400],
    ['an array', '[]', 400],
    ['two values', '{}{}', 400],
    ['5,000 open arrays', '['.repeat(5000), 400],
    ['5,000 nested arrays', '['.repeat(5000) + ']'.repeat(5000), 400],
    ['10,000 nested objects', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, 400],
    ['20,000 nested objects, beyond 64 KiB', `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`, 413],
    ['100,000 keys', JSON.stringify(Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, i]))), 413],
    ['5,000 keys', JSON.stringify(Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k${i}`, i]))), 400],
    ['bytes that are not UTF-8', new Uint8Array([...Buffer.from('{"customerId":"'), 0xff, 0xfe, ...Buffer.from('"}')]), 400],
  ])('is answered with a problem: %s', async (_, body, status) => {
    const answer = await post(body);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(answer.body).toMatchObject({ type: 'about:blank', status, detail: expect.any(String) });
    expect(answer.text.length).toBeLessThan(20_000);
  });

  it.each([
    ['__proto__', '{"__proto__":{"isAdmin":true}}'],
    ['a nested __proto__', withItem('{"sku":"a","quantity":1,"unitPriceMinor":1,"__proto__":{"isAdmin":true}}')],
    ['an escaped __proto__', '{"\\u005f_proto__":{"isAdmin":true}}'],
    ['constructor.prototype', '{"constructor":{"prototype":{"isAdmin":true}}}'],
  ])('pollutes nothing and is told so: %s', async (_, body) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].field).toBe('__proto__');
    const { body: after } = await post(text);
    expect(after.isAdmin).toBeUndefined();
  });

  it.each([
    ['NUL in an id', withCustomer('"\\u0000"')],
    ['half a character', withCustomer('"\\ud800"')],
    ['a number as an id', withCustomer('1')],
    ['10 kB of id', withCustomer(`"${'x'.repeat(10_000)}"`)],
    ['1e400', withItem('{"sku":"a","quantity":1,"unitPriceMinor":1e400}')],
    ['12345678901234567890', withItem('{"sku":"a","quantity":1,"unitPriceMinor":12345678901234567890}')],
    ['a negative quantity', withItem({ quantity: -1 })],
    ['a negative price', withItem({ unitPriceMinor: -1 })],
    ['0.1 + 0.2', withItem({ unitPriceMinor: 0.1 + 0.2 })],
    ['a number in a text', withItem({ quantity: '1' })],
  ])('is refused by field: %s', async (_, body) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].field).toMatch(/^(customerId|items\[0\]\.)/);
  });

  it.each([
    "x'; drop table events;--",
    'a%_\\',
    '\u202Eevil',
    '<img src=x onerror=alert(1)>',
    '</script><script>',
    '__proto__',
    'constructor',
    '{{7*7}}',
  ])('is taken as the text it is: %j', async (odd) => {
    const answer = await post(JSON.stringify({ ...book, customerId: odd, items: [{ sku: odd, quantity: 1, unitPriceMinor: -0 }] }));
    expect(answer.status).toBe(202);
    const { body, headers } = await ask(url, 'GET', `/orders/${answer.body.orderId}/events`);
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    expect(body.events[0].data.details).toMatchObject({ customerId: odd, items: [{ sku: odd }] });
  });

  it.each([
    "x'; drop table events;--",
    'a%_\\',
    '__proto__',
    'constructor',
    'toString',
    '\0',
    '\u202E',
    'x'.repeat(400),
    '<img src=x>',
    '../metrics',
  ])('has no order called %j', async (odd) => {
    for (const of of ['', '/events', '/timeline']) {
      expect((await ask(url, 'GET', `/orders/${encodeURIComponent(odd)}${of}`)).status).toBe(404);
    }
  });

  it.each([
    ['/orders/%ff', 400],
    ['/orders/%E0%A4%A', 400],
    [`/orders/${'x'.repeat(10_000)}`, 414],
  ])('is answered with a problem when the path can not be read (%#)', async (path, status) => {
    const answer = await ask(url, 'GET', path);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  });
});

describe('what is not JSON by its content type', () => {
  it.each([
    ['text/plain', text],
    ['application/x-www-form-urlencoded', 'customerId=c1'],
    ['multipart/form-data; boundary=x', '--x--'],
    ['application/xml', '<order/>'],
    ['application/json5', text],
  ])('is answered with 415: %s', async (type, body) => {
    for (const target of ['/orders', '/dead-letters/redrive', '/orders/x/cancel', '/dead-letters/x/discard']) {
      expect((await ask(url, 'POST', target, body, { 'content-type': type })).status).toBe(415);
    }
  });

  it('may name its charset', async () => {
    expect((await post(text, { 'content-type': 'application/json; charset=utf-8' })).status).toBe(202);
  });
});

describe('too much', () => {
  it.each([
    ['10 MB with its length', false],
    ['10 MB in chunks', true],
  ])('is answered with 413 and can be read: %s', async (_, chunked) => {
    const answer = await new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      const headers = { 'content-type': 'application/json', ...(chunked ? {} : { 'content-length': 10_000_000 }) };
      const sent = request(`${url}/orders`, { method: 'POST', headers }, async (response) => {
        let body = '';
        for await (const chunk of response) body += chunk;
        resolve({ status: response.statusCode, body });
      });
      sent.on('error', reject);
      for (let i = 0; i < 100; i += 1) sent.write('x'.repeat(100_000));
      sent.end();
    });
    expect(answer.status).toBe(413);
    expect(JSON.parse(answer.body)).toMatchObject({ status: 413 });
  });

  it('is 64 KiB and a byte', async () => {
    const padded = (bytes: number): string => text + ' '.repeat(bytes - text.length);
    expect((await post(padded(65_536))).status).toBe(202);
    expect((await post(padded(65_537))).status).toBe(413);
  });

  it('is a header of a megabyte', async () => {
    expect(await raw(`POST /orders HTTP/1.1\r\nHost: x\r\nIdempotency-Key: ${'k'.repeat(1_000_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 .*problem\+json/s,
    );
  });
});

describe.concurrent('too long', () => {
  it('are chunks without end: 413, and cut in time', async () => {
    const chunk = `3e8\r\n${'x'.repeat(1000)}\r\n`;
    const head = 'POST /orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n';
    const got = await raw([head, ...Array<string>(2500).fill(chunk)], 14_000);
    expect(got).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('is a head that never ends: 408', async () => {
    const got = await raw(['GET /healthz HTTP/1.1\r\n', 'Host: x\r\n'], 9000);
    expect(got).toMatch(/^HTTP\/1\.1 408 .*problem\+json/s);
  });

  it('is a body that never comes: 408', async () => {
    const head = 'POST /orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{';
    expect(await raw(head, 14_000)).toMatch(/^HTTP\/1\.1 408 .*problem\+json/s);
  });

  it('are a thousand sockets that say nothing: others are served, and they are closed', async () => {
    const { port, hostname } = new URL(url);
    const sockets = Array.from({ length: 1000 }, () => connect(Number(port), hostname));
    const closed = Promise.all(
      sockets.map(
        (socket) =>
          new Promise<void>(
            (resolve) =>
              void socket
                .on('error', () => undefined)
                .on('close', () => resolve())
                .resume(),
          ),
      ),
    );
    await Promise.all(sockets.map((socket) => new Promise((resolve) => void socket.once('connect', resolve))));
    expect((await post(text)).status).toBe(202);
    await closed;
  });

  it('is the store: 503 with Retry-After, and well again once it answers', async () => {
    const database = workshop.database('locked.db');
    const url = await workshop.start('api.mjs', { ...SMOOTH, DATABASE_URL: database }).url();
    const post = () => ask(url, 'POST', '/orders', text, { 'idempotency-key': 'while away' });
    const db = new DatabaseSync(database.slice('sqlite:'.length));
    db.exec('BEGIN IMMEDIATE');
    const answer = await post();
    db.exec('ROLLBACK');
    db.close();
    expect(answer).toMatchObject({ status: 503, body: { code: 'STORE' } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await post()).status).toBe(202);
  });
});

describe('after all that', () => {
  it('the producer is ready, has kept its memory, and no error of its own is in its log', async () => {
    expect((await ask(url, 'GET', '/readyz')).status).toBe(200);
    const { text: metrics } = await ask(url, 'GET', '/metrics');
    expect(Number(/^process_resident_memory_bytes (\d+)$/m.exec(metrics)?.[1])).toBeLessThan(400e6);
    expect(api.output()).not.toMatch(/^(error|trouble)/m);
    expect(
      api
        .output()
        .split('\n')
        .filter((line) => line !== ''),
    ).toHaveLength(1);
  });
});
