import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { root } from './process.ts';
import { type PublicName, publicNames } from './public-api.ts';

const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
const entries = Object.entries<{ 'orderfold-source'?: string }>(manifest.exports).flatMap(([subpath, conditions]) => {
  const source = conditions['orderfold-source'];
  return source === undefined ? [] : [{ name: `orderfold${subpath.slice(1)}`, names: publicNames(root + source.slice(2)) }];
});
const isValue = ({ kind }: PublicName): boolean => kind !== 'type';
const rootEntry = entries.find(({ name }) => name === 'orderfold');

describe('the public names', () => {
  it('are those of the snapshot; a change of them is a change of the snapshot', async () => {
    const text = entries.map(({ name, names }) => [name, ...names.map((it) => `  ${it.name} (${it.kind})`), ''].join('\n')).join('\n');
    await expect(text).toMatchFileSnapshot('public-api.snapshot.txt');
  });

  it('of the root entry are at most 25', () => {
    expect(rootEntry?.names.length).toBeGreaterThan(0);
    expect(rootEntry?.names.length).toBeLessThanOrEqual(25);
  });

  it.each(entries)('of $name are at run time what the compiler says they are', async ({ name, names }) => {
    const module = await import(/* @vite-ignore */ name);
    expect(Object.keys(module).sort()).toEqual(names.filter(isValue).map((it) => it.name));
  });

  it.each(['EventBus', 'RetryPolicy', 'DeadLetterStore', 'OrderSaga'])(
    'hold %s as a type and a frozen object of constructors',
    async (name) => {
      expect(rootEntry?.names).toContainEqual({ name, kind: 'value and type' });
      const value = (await import('orderfold'))[name as 'OrderSaga'];
      expect(typeof value).toBe('object');
      expect(Object.isFrozen(value)).toBe(true);
    },
  );
});
