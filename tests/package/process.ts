import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The working tree. */
export const root = fileURLToPath(new URL('../../', import.meta.url));

export interface Ran {
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly node?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs one JavaScript program to its end, whatever that is. */
export const run = (args: readonly string[], { cwd, node = process.execPath, env = {} }: RunOptions): Promise<Ran> =>
  new Promise((resolve) => {
    const options = { cwd, env: { ...process.env, ...env }, maxBuffer: 1 << 26, timeout: 170_000 };
    execFile(node, args, options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : (error.code ?? 'killed'), stdout, stderr }),
    );
  });

/** As `run`, but anything other than exit 0 is an error that shows what was printed. */
export const runWell = async (args: readonly string[], options: RunOptions): Promise<Ran> => {
  const ran = await run(args, options);
  if (ran.code !== 0) throw new Error(`${args.join(' ')} ended with ${ran.code}\n${ran.stdout}\n${ran.stderr}`);
  return ran;
};

/** npm as a JavaScript file, so that no shell is needed on Windows either. */
const npmCli = (): string => {
  const candidates = [
    process.env.npm_execpath ?? '',
    ...(process.env.PATH ?? '')
      .split(path.delimiter)
      .flatMap((folder) => [
        path.join(folder, 'node_modules/npm/bin/npm-cli.js'),
        path.join(folder, '../lib/node_modules/npm/bin/npm-cli.js'),
      ]),
  ];
  const found = candidates.find((file) => file.endsWith('npm-cli.js') && existsSync(file));
  if (found === undefined) throw new Error('npm is not on the PATH');
  return found;
};

export const npm = (args: readonly string[], cwd: string): Promise<Ran> => runWell([npmCli(), ...args, '--no-audit', '--no-fund'], { cwd });
