/** The parts of `package-lock.json` that decide what is installed where. */
export interface Lock {
  readonly lockfileVersion: number;
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

export interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const targets = [
  ['linux', 'x64'],
  ['linux', 'arm64'],
  ['darwin', 'x64'],
  ['darwin', 'arm64'],
  ['win32', 'x64'],
] as const;

/** `fsevents` exists on one system only and is no family; a family names several systems. */
const isFamily = (names: readonly string[]): boolean =>
  ['linux', 'darwin', 'win32'].filter((os) => names.some((name) => name.includes(os))).length > 1;

const lockedBelow = (lock: Lock, parent: string, name: string): LockedPackage | undefined =>
  lock.packages[`${parent}/node_modules/${name}`] ?? lock.packages[`node_modules/${name}`];

/** The packages that bring a binary per platform as optional dependencies. */
export const platformFamilies = (lock: Lock): readonly string[] =>
  Object.keys(lock.packages).filter((path) => isFamily(Object.keys(lock.packages[path]?.optionalDependencies ?? {})));

/** A platform that the lock leaves without its binary gets no error from `npm ci`, but a tool that can't start. */
export const missingPlatforms = (lock: Lock): readonly string[] =>
  platformFamilies(lock).flatMap((path) => {
    const binaries = Object.entries(lock.packages[path]?.optionalDependencies ?? {}).flatMap(([name, version]) => {
      const locked = lockedBelow(lock, path, name);
      return locked?.version === version ? [locked] : [];
    });
    return targets
      .filter(([os, cpu]) => !binaries.some((it) => it.os?.includes(os) && it.cpu?.includes(cpu)))
      .map(([os, cpu]) => `${path}@${lock.packages[path]?.version}: no binary for ${os} ${cpu}`);
  });

/** Optional packages of a family that the lock does not name at all: on their platform `npm ci` says lock and manifest are out of step. */
export const unnamedBinaries = (lock: Lock): readonly string[] =>
  platformFamilies(lock).flatMap((path) =>
    Object.keys(lock.packages[path]?.optionalDependencies ?? {})
      .filter((name) => lockedBelow(lock, path, name) === undefined)
      .map((name) => `${path}: ${name}`),
  );
