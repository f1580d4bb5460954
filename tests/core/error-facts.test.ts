import { describe, expect, it } from 'vitest';
import { causeChain } from '../../src/core/cause-chain.ts';
import { describeError } from '../../src/core/error-facts.ts';
import { OrderfoldError } from '../../src/core/errors.ts';
import { isPermanent, permanent } from '../../src/core/permanent.ts';
import { redact } from '../../src/core/redact.ts';

const refuse = (): never => {
  throw new Error('hostile');
};
const throwingGetters = (keys: readonly string[]): Error =>
  Object.create(Error.prototype, {
    message: { value: 'visible' },
    ...Object.fromEntries(keys.map((key) => [key, { get: refuse }])),
  });
const hostile = new Proxy({}, { get: refuse });
const revoked = (): unknown => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};
const messages = (error: unknown): readonly string[] => describeError(error).causes.map(({ message }) => message);

describe('describeError', () => {
  it('keeps name, code, message, causes and the place', () => {
    const cause = Object.assign(new TypeError('socket closed'), { code: 'ECONNRESET' });
    expect(describeError(Object.assign(new Error('charge failed', { cause }), { code: 502 }))).toEqual({
      name: 'Error',
      code: '502',
      message: 'charge failed',
      frame: expect.stringContaining('error-facts.test.ts'),
      causes: [{ name: 'TypeError', code: 'ECONNRESET', message: 'socket closed' }],
      permanent: false,
    });
  });

  it('gives a failure without a code HANDLER and keeps the code of a fault', () => {
    expect(describeError(new Error('x')).code).toBe('HANDLER');
    expect(describeError(new OrderfoldError('LEASE_LOST', 'x')).code).toBe('LEASE_LOST');
    expect(describeError(Object.assign(new Error('x'), { code: {} })).code).toBe('HANDLER');
  });

  it.each([
    [undefined, 'undefined', 'undefined'],
    [null, 'null', 'null'],
    ['declined', 'string', 'declined'],
    [42, 'number', '42'],
    [10n, 'bigint', '10'],
    [Symbol('s'), 'symbol', 'Symbol(s)'],
    [{ message: 'like an error', name: 'Custom' }, 'Custom', 'like an error'],
    [{}, 'object', 'a thrown object without a message'],
    [Object.create(null), 'object', 'a thrown object without a message'],
    [hostile, 'object', 'a thrown object without a message'],
    [Object.assign(() => 1, { cause: null }), 'function', 'a thrown function without a message'],
  ])('tells of anything thrown, case %#', (thrown, name, message) => {
    expect(describeError(thrown)).toStrictEqual({ name, message, code: 'HANDLER', causes: [], permanent: false });
  });

  it('survives getters that throw and proxies that are gone', () => {
    expect(describeError(revoked())).toMatchObject({ name: 'object', message: 'a thrown object without a message' });
    expect(describeError(throwingGetters(['name', 'code', 'stack', 'cause', 'retryAfterMs', 'errors'])).message).toBe('visible');
    expect(describeError(throwingGetters(['message'])).message).toBe('a thrown object without a message');
    for (const errors of [revoked(), 'abc', null]) expect(messages(Object.assign(new Error('x'), { errors }))).toEqual([]);
  });

  it('ends a cyclic cause where it began', () => {
    const outer = new Error('outer');
    outer.cause = new Error('inner', { cause: outer });
    expect(messages(outer)).toEqual(['inner']);
  });

  it('cuts causes that never end', () => {
    const endless = (): object => Object.create(Error.prototype, { cause: { get: endless } });
    expect(causeChain(endless())).toHaveLength(100);
    expect(messages(Object.assign(() => 1, { cause: new Error('of a function'), code: 'F' }))).toEqual(['of a function']);
    expect(describeError(Object.assign(() => 1, { code: 'F' })).code).toBe('F');
  });

  it('keeps at most five causes, the nearest first, and the parts of an AggregateError', () => {
    let deep = new Error('cause 9');
    for (let i = 8; i >= 0; i -= 1) deep = new Error(`cause ${i}`, { cause: deep });
    expect(messages(deep)).toEqual(['cause 1', 'cause 2', 'cause 3', 'cause 4', 'cause 5']);
    expect(messages(new AggregateError([new Error('a'), 'b'], 'all failed', { cause: 'c' }))).toEqual(['c', 'a', 'b']);
  });

  it('R24 bounds a message of 1 MB and says how much is missing', () => {
    const { message } = describeError(new Error('x'.repeat(1_000_000)));
    expect(message.length).toBeLessThanOrEqual(1000);
    expect(message).toMatch(/^x{900,}… \(\d+ more characters\)$/);
    expect(Number(/\((\d+) more/.exec(message)?.[1]) + message.indexOf('…')).toBe(1_000_000);
  });

  it.each([999, 1000, 1001, 1100, 4000, 4001, 5000])('R24 keeps a message of %i characters whole only if it fits into 1000', (length) => {
    const { message } = describeError(new Error('x'.repeat(length)));
    expect(message.length).toBeLessThanOrEqual(1000);
    expect(message.includes('more characters')).toBe(length > 1000);
  });

  it('finds the frame behind a long message and skips dependencies and Node', () => {
    const error = new Error('x');
    error.stack = `Error: ${'y'.repeat(100_000)}
    at connect (node:net:1:2)
    at query (/app/node_modules/pg/lib/client.js:10:5)
    at Array.map (<anonymous>)
    at async Promise.all (index 10)
    at charge (/app/src/payments.ts:42:7)
    at run (/app/src/worker.ts:1:1)`;
    expect(describeError(error).frame).toBe('charge (/app/src/payments.ts:42:7)');
  });

  it('finds no frame where none is of the code in hand, and reads one with whatever line ends', () => {
    const facts = (stack: string) => describeError(Object.assign(new Error('x'), { stack }));
    for (const stack of ['', 'Error: x', 'Error: x\n    at connect (node:net:1:2)\nrequire', '    at f (/app/x.ts:1:1)']) {
      expect('frame' in facts(stack)).toBe(false);
    }
    expect(facts('\n    at f (/app/x.ts:1:1)').frame).toBe('f (/app/x.ts:1:1)');
    expect(facts('Error: x\r\n    at f (/app/x.ts:1:1)\r\n    at g (/app/x.ts:2:2)').frame).toBe('f (/app/x.ts:1:1)');
  });

  it('R24 says how many characters are missing, whatever the length', () => {
    const { message } = describeError(new Error('x'.repeat(1_001)));
    expect(message).toBe(`${'x'.repeat(970)}… (31 more characters)`);
    expect(describeError(new Error(`x${'😀'.repeat(600)}`)).message).toBe(`x${'😀'.repeat(484)}… (232 more characters)`);
  });

  it('keeps text that every store takes: no NUL, no half of a character', () => {
    expect(describeError(new Error('a\u0000b\ud800c😀')).message).toBe('a\ufffdb\ufffdc😀');
    for (const pad of ['', 'x']) expect(describeError(new Error(pad + '😀'.repeat(600))).message).not.toMatch(/\p{Surrogate}|\ufffd…/u);
  });

  it.each([
    [{ retryAfterMs: 1500 }, 1500],
    [{ retryAfterMs: 0 }, 0],
    [{ retryAfterMs: -0 }, 0],
    [{ retryAfter: 2 }, 2000],
    [{ retryAfter: '30' }, 30_000],
    [{ retryAfter: 'Wed, 21 Oct 2026 07:28:00 GMT' }, undefined],
    [{ retryAfter: '' }, undefined],
    [{ retryAfter: ' 30 ' }, 30_000],
    [{ retryAfter: '1e5' }, undefined],
    [{ retryAfter: '5 s' }, undefined],
    [{ retryAfter: '9'.repeat(13) }, undefined],
    [{ retryAfterMs: -1 }, undefined],
    [{ retryAfterMs: Number.NaN }, undefined],
    [{ retryAfterMs: Number.POSITIVE_INFINITY }, undefined],
    [{ retryAfterMs: '5' }, undefined],
    [{ cause: { retryAfterMs: 70 } }, 70],
  ])('reads how long the other side asked to be left alone: %j', (properties, expected) => {
    expect(describeError(Object.assign(new Error('busy'), properties)).retryAfterMs).toBe(expected);
  });
});

describe('permanent', () => {
  it('marks an error, keeps it as the cause, and keeps its code', () => {
    const declined = Object.assign(new Error('no such account'), { code: 'NO_ACCOUNT' });
    const marked = permanent(declined);
    expect(marked).toBeInstanceOf(Error);
    expect(marked.cause).toBe(declined);
    expect(describeError(marked)).toMatchObject({
      name: 'PermanentError',
      message: 'no such account',
      code: 'NO_ACCOUNT',
      permanent: true,
    });
    expect(describeError(marked).frame).toContain('error-facts.test.ts');
    expect(permanent(declined, 'refused for good').message).toBe('refused for good');
    expect(permanent('no such article').message).toBe('no such article');
    expect('cause' in permanent('no such article')).toBe(false);
    expect('code' in permanent('no such article')).toBe(false);
    expect([permanent({ message: 7 }).message, permanent(undefined).message]).toEqual(['a permanent error', 'a permanent error']);
  });

  it('is seen through errors that wrap it and on errors of another copy of the package', () => {
    expect(isPermanent(new Error('outer', { cause: new Error('middle', { cause: permanent('x') }) }))).toBe(true);
    expect(isPermanent({ 'orderfold.permanent': true })).toBe(true);
    expect(isPermanent(permanent(Object.freeze(new Error('x'))))).toBe(true);
  });

  it.each([undefined, null, 'permanent', 7, new Error('x'), hostile, { 'orderfold.permanent': 'yes' }])(
    'is not seen where it was not set, and can be set on anything, case %#',
    (thrown) => {
      expect(isPermanent(thrown)).toBe(false);
      expect(isPermanent(permanent(thrown))).toBe(true);
    },
  );
});

describe('R24 redact', () => {
  it.each([
    ['connect to postgres://app:hunter2@db:5432/orders failed', 'connect to postgres://[redacted]@db:5432/orders failed'],
    ['amqp://u:p@ss/hunter2@host', 'amqp://[redacted]@host'],
    ['amqp://user:p@ss/hunter2@host', 'amqp://[redacted]@host'],
    ['postgres://u:12345x/hunter2@db', 'postgres://[redacted]@db'],
    ['redis://:hunter2@cache', 'redis://[redacted]@cache'],
    ['https://hunter2@github.com/x', 'https://[redacted]@github.com/x'],
    ['password=hunter2&user=a', 'password=[redacted]&user=a'],
    ['host=db password=hunter2 user=a', 'host=db password=[redacted] user=a'],
    ["DB_PASSWORD: 'hunt er2' x", 'DB_PASSWORD: [redacted] x'],
    ['{"password":"hun\\"ter2","a":1}', '{"password":[redacted],"a":1}'],
    ['body {\\"apiKey\\":\\"hunter2\\",\\"a\\":1}', 'body {\\"apiKey\\":[redacted],\\"a\\":1}'],
    ['GET /x?access_token=hunter2&a=1', 'GET /x?access_token=[redacted]&a=1'],
    ['x-api-key: hunter2', 'x-api-key: [redacted]'],
    ['client_secret => "hunter2"', 'client_secret => [redacted]'],
    ['Authorization: Bearer hunter2 x', 'Authorization: [redacted]'],
    ['Authorization : Basic hunter2', 'Authorization : [redacted]'],
    ['{"cookie":"a=hunter2', '{"cookie":[redacted]'],
    ...[
      'pass',
      'passphrase',
      'privatekey',
      'private_key',
      'accesskey',
      'access-key',
      'credential',
      'credentials',
      'cardnumber',
      'card number',
    ]
      .concat(['cvv', 'cvv2', 'cvc', 'cvc2'])
      .map((name) => [`${name}=hunter2`, `${name}=[redacted]`]),
    ['{"password":"hunter2', '{"password":[redacted]'],
    ["password='hunter2", 'password=[redacted]'],
    ['body {\\"password\\":\\"hunter2', 'body {\\"password\\":[redacted]'],
    ['{"authorization":"Basic aHVudGVyMg==","a":1}', '{"authorization":[redacted],"a":1}'],
    ['Cookie: a=hunter2; b=2\nnext line', 'Cookie: [redacted]\nnext line'],
    ['sent bearer hunter2hunter2', 'sent bearer [redacted]'],
    ['sent bearer   hunter2hunter2', 'sent bearer   [redacted]'],
    ['jwt eyJhbGciOiJI.eyJzdWIiOiIx.c2ln', 'jwt [redacted]'],
    ['key sk_live_hunter2', 'key [redacted]'],
    [`Unexpected token 'p', "pw hunter2" is not valid JSON`, "Unexpected token 'p', [redacted] is not valid JSON"],
    [`Unexpected token '\n', ..."x\n"hunter2""... is not valid JSON`, "Unexpected token '\n', [redacted] is not valid JSON"],
    ['-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY----- x', '[redacted] x'],
    ['card 4111111111111111 declined', 'card [redacted] declined'],
    ['card 4111 1111 1111 1111.', 'card [redacted].'],
    ['card 4111  1111 - 1111  1111', 'card 4111  1111 - 1111  1111'],
    ['card 4111  1111\t\u00a01111 -1111', 'card [redacted]'],
    // The last four groups would pass for a card as well.
    ['4111 1111 1111 1111 1117', '[redacted] 1117'],
    ['card 3782-822463-10005', 'card [redacted]'],
    ['2 items, 12 4111-1111-1111-1111 123', '2 items, 12 [redacted] 123'],
    ['4111111111111111 5555555555554444', '[redacted] [redacted]'],
    ['pan4111111111111111x', 'pan[redacted]x'],
    ['4111111111119 007', '[redacted]'],
  ])('hides the secret in: %s', (text, expected) => {
    expect(redact(text)).toBe(expected);
  });

  it.each([
    'Unexpected token } in JSON at position 4',
    'GET https://api.example.com:8080/users/1?mail=a@b.example 404',
    'order 1234567890123456 at 2026-01-01T00:00:00.000Z',
    'connect ECONNREFUSED 127.0.0.1:5432',
    'the password is wrong, the token has expired',
    'Bearer authentication is required',
  ])('leaves alone: %s', (text) => {
    expect(redact(text)).toBe(text);
  });

  it('hides a secret that the bound of a message would cut in two', () => {
    for (let pad = 900; pad < 1000; pad += 1) {
      const error = new Error(`${'x'.repeat(pad)} 4111 1111 1111 1111 ${'y'.repeat(3000)}`);
      expect(describeError(error).message).not.toContain('1111');
    }
    for (let pad = 3900; pad < 4000; pad += 1) {
      const error = new Error(`password=${'x'.repeat(pad - 9)} 4111 1111 1111 1111 ${'y'.repeat(3000)}`);
      expect(describeError(error).message).not.toContain('1111');
    }
  });

  it('hides what JSON.parse quotes of a reply', () => {
    for (const reply of ['pw hunter2', `<p>${'hunter2 '.repeat(10)}`, `{"a":1, hunter2${' '.repeat(50)}`]) {
      let facts = describeError(undefined);
      try {
        JSON.parse(reply);
      } catch (cause) {
        facts = describeError(new Error('no JSON', { cause }));
      }
      expect(facts.causes[0]?.name).toBe('SyntaxError');
      expect(JSON.stringify(facts)).not.toContain('hunter2');
    }
  });

  it('is applied to names, codes, causes and frames too', () => {
    const error = new Error('x', { cause: new Error('password=hunter2') });
    error.stack = 'Error: x\n    at eval (https://u:hunter2@cdn.example/x.js:1:1)';
    const facts = describeError(Object.assign(error, { name: 'token=hunter2', code: 'secret=hunter2' }));
    expect(JSON.stringify(facts)).not.toContain('hunter2');
  });
});
