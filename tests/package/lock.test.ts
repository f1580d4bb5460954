import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Lock, missingPlatforms, platformFamilies, unnamedBinaries } from './lock.ts';

const read = (path: string): Lock => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'));
const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
const lock = read('package-lock.json');
const families = platformFamilies(lock);

const without = (paths: readonly string[]): Lock => ({
  ...lock,
  packages: Object.fromEntries(Object.entries(lock.packages).filter(([path]) => !paths.includes(path))),
});

describe('package-lock.json', () => {
  it('brings the binaries for Linux, macOS and Windows of every package that has some', () => {
    expect(families).toEqual(expect.arrayContaining(['@biomejs/biome', 'esbuild', 'rollup'].map((name) => `node_modules/${name}`)));
    expect(missingPlatforms(lock)).toEqual([]);
    expect(unnamedBinaries(lock)).toEqual([]);
  });

  it.each(families)('is found wanting when %s lacks the one for Windows', (family) => {
    const forWindows = Object.keys(lock.packages[family]?.optionalDependencies ?? {})
      .map((name) => `node_modules/${name}`)
      .filter((path) => lock.packages[path]?.os?.includes('win32') && lock.packages[path]?.cpu?.includes('x64'));
    expect(forWindows).not.toEqual([]);
    expect(missingPlatforms(without(forWindows))).toEqual([expect.stringContaining('no binary for win32 x64')]);
  });

  it('names no registry host, and has a checksum for every package', () => {
    const locked = Object.entries(lock.packages).filter(([path]) => path !== '');
    expect(locked.filter(([, it]) => it.resolved !== undefined).map(([path]) => path)).toEqual([]);
    expect(locked.filter(([, it]) => it.integrity === undefined).map(([path]) => path)).toEqual([]);
  });

  it('is in step with package.json, where every development dependency is an exact version', () => {
    const { dependencies, devDependencies } = manifest;
    expect(lock.packages['']).toMatchObject({ name: 'orderfold', version: manifest.version, dependencies, devDependencies });
    expect(Object.keys(dependencies).sort()).toEqual(['fp-ts']);
    for (const version of Object.values(devDependencies)) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  });
});

describe('the locks of what only some checks need', () => {
  const peers = read('tests/bench/package-lock.json');

  it.each(['bench', 'mutation'])('that of %s names no registry host, and is in step with its package.json of exact versions', (folder) => {
    const { packages } = read(`tests/${folder}/package-lock.json`);
    const { name, dependencies } = JSON.parse(readFileSync(new URL(`../${folder}/package.json`, import.meta.url), 'utf8'));
    expect(packages['']).toEqual({ name, dependencies });
    for (const version of Object.values(dependencies)) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    const locked = Object.entries(packages).filter(([path]) => path !== '');
    expect(locked.filter(([, it]) => it.resolved !== undefined || it.integrity === undefined).map(([path]) => path)).toEqual([]);
  });

  it('leave nothing out that some platform needs', () => {
    const mutation = read('tests/mutation/package-lock.json');
    expect(missingPlatforms(mutation)).toEqual([]);
    expect(unnamedBinaries(mutation)).toEqual([]);
  });

  it('bring the binaries for Linux, macOS and Windows of every peer that has some, and name all others', () => {
    expect(platformFamilies(peers)).not.toEqual([]);
    expect(missingPlatforms(peers)).toEqual([]);
    expect(unnamedBinaries(peers)).toEqual([]);
  });

  it('are found wanting when they do not name one of them', () => {
    const gone = 'node_modules/@msgpackr-extract/msgpackr-extract-linux-arm';
    const { [gone]: _, ...packages } = peers.packages;
    expect(unnamedBinaries({ ...peers, packages })).toEqual([expect.stringContaining('linux-arm')]);
  });
});
