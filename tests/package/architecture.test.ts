import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { architectureFaults } from './architecture.ts';

const src = fileURLToPath(new URL('../../src/', import.meta.url));
const house = new Map(
  readdirSync(src, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => [file, readFileSync(src + file, 'utf8')]),
);

describe('the house', () => {
  it('keeps its arrows one way, its core portable and its time passed in', () => {
    expect(house.size).toBeGreaterThan(0);
    expect(architectureFaults(house)).toEqual([]);
  });
});

const clean = {
  'index.ts': `export * from './runtime/bus.ts'; export { memoryStore } from './stores/memory/index.ts'; export { system } from './system.ts';`,
  'system.ts': `import type { Clock } from './core/clock.ts'; export const system: Clock = { now: () => Date.now() };`,
  'core/clock.ts': `export interface Clock { now(): number; setTimeout?(ms: number): void }`,
  'core/either.ts': `import * as Either from 'fp-ts/lib/Either.js'; export const { right } = Either;`,
  'order/order.ts': `import { produce } from 'immer'; import { right } from '../core/either.ts'; export const at = (iso: string) => new Date(iso); export { produce, right };`,
  'runtime/breaker.ts': `import { ConsecutiveBreaker } from 'cockatiel/dist/breaker/ConsecutiveBreaker.js'; export const rule = () => new ConsecutiveBreaker(5);`,
  'runtime/bus.ts': `import type { Clock } from '../core/clock.ts'; export const wait = (clock: Clock) => clock.setTimeout?.(1); // not Date.now()`,
  'stores/memory/index.ts': `import { right } from '../../core/either.ts'; export const memoryStore = right;`,
  'stores/sqlite/index.ts': `import { DatabaseSync } from 'node:sqlite'; import { system } from '../../system.ts'; export const sqliteStore = () => [DatabaseSync, system];`,
  'testing/simulate.ts': `import { memoryStore } from '../stores/memory/index.ts'; import { system } from '../system.ts'; export { memoryStore, system };`,
};

const planted: readonly (readonly [file: string, text: string, fault: string])[] = [
  ['core/a.ts', `import '../order/order.ts';`, 'core must not import order'],
  ['core/a.ts', `import type { X } from '../runtime/bus.ts';`, 'core must not import runtime'],
  ['core/a.ts', `export type X = import('../runtime/bus.ts').X;`, 'core must not import runtime'],
  ['core/a.ts', `export const x = () => import('../system.ts');`, 'core must not import top'],
  ['order/a.ts', `export * from '../runtime/bus.ts';`, 'order must not import runtime'],
  ['order/a.ts', `import '../stores/memory/index.ts';`, 'order must not import stores/memory'],
  ['runtime/a.ts', `import '../stores/sqlite/index.ts';`, 'runtime must not import stores/sqlite'],
  ['stores/sqlite/a.ts', `import '../../order/order.ts';`, 'stores/sqlite must not import order'],
  ['stores/sqlite/a.ts', `import '../../system.ts';`, 'stores/sqlite must not import top'],
  ['stores/sqlite/index.ts', `import '../../index.ts';`, 'stores/sqlite must not import top'],
  ['stores/sqlite/a.ts', `import '../memory/index.ts';`, 'stores/sqlite must not import stores/memory'],
  ['transports/redis/a.ts', `import '../../runtime/bus.ts';`, 'transports/redis must not import runtime'],
  ['a.ts', `import './stores/sqlite/index.ts';`, 'top must not import stores/sqlite'],
  ['a.ts', `import './testing/simulate.ts';`, 'top must not import testing'],
  ['http/a.ts', `import '../testing/simulate.ts';`, 'http must not import testing'],
  ['core/a.ts', `import 'node:fs';`, 'core may use fp-ts, immer and mitt only'],
  ['a.ts', `import 'node:crypto';`, 'top may use fp-ts, immer and mitt only'],
  ['stores/memory/a.ts', `const fs = require('fs');`, 'stores/memory may use fp-ts, immer and mitt only'],
  ['runtime/a.ts', `import 'fastify';`, 'runtime may use fp-ts, immer and mitt only'],
  ['runtime/a.ts', `import 'cockatiel/dist/breaker/ConsecutiveBreaker.js';`, 'cockatiel only in runtime/breaker.ts'],
  [
    'runtime/breaker.ts',
    `import { ConsecutiveBreaker } from 'cockatiel';`,
    'cockatiel only in runtime/breaker.ts, and only its ConsecutiveBreaker.js',
  ],
  ['runtime/breaker.ts', `import 'cockatiel/dist/breaker/CountBreaker.js';`, 'only its ConsecutiveBreaker.js'],
  ['core/a.ts', `import { either } from 'fp-ts';`, 'fp-ts only by full file'],
  ['stores/sqlite/a.ts', `import * as E from 'fp-ts/Either';`, 'fp-ts only by full file'],
  ['stores/sqlite/a.ts', `import 'orderfold';`, 'src imports itself by relative path'],
  ['core/a.ts', `import './clock.js';`, 'without its .ts extension'],
  ['core/a.ts', `import './gone.ts';`, 'which does not exist'],
  ['core/a.ts', `import '../../tests/x.ts';`, 'which is outside src'],
  ['order/a.ts', `export const t = Date.now();`, 'uses Date.now'],
  ['order/a.ts', `export const t = Date.now;`, 'uses Date.now'],
  ['core/a.ts', `export const t = new Date();`, 'uses new Date()'],
  ['core/a.ts', `export const r = Math.random();`, 'uses Math.random'],
  ['runtime/a.ts', `setTimeout(() => {}, 1);`, 'uses setTimeout'],
  ['runtime/a.ts', `export const timers = { setInterval };`, 'uses setInterval'],
  ['runtime/a.ts', `performance.now();`, 'uses performance'],
  ['runtime/a.ts', `globalThis.setTimeout(() => {}, 1);`, 'uses globalThis'],
  ['core/a.ts', `export const id = crypto.randomUUID();`, 'uses crypto'],
  ['runtime/a.ts', `AbortSignal.timeout(1);`, 'uses AbortSignal.timeout'],
  ['order/a.ts', `export enum Status { placed }`, 'has an enum'],
  ['stores/sqlite/a.ts', `export namespace Sql { export const x = 1; }`, 'has a namespace'],
];

describe('the check of the house', () => {
  it('accepts a house that is in order', () => {
    expect(architectureFaults(new Map(Object.entries(clean)))).toEqual([]);
  });

  it.each(planted)('finds in %s: %s', (file, text, fault) => {
    expect(architectureFaults(new Map(Object.entries({ ...clean, [file]: text })))).toEqual([expect.stringContaining(fault)]);
  });
});
