import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { drainOnStop } from './shutdown.ts';

/** One process to keep running: a file of this folder that sends `{ ready: true }` once it is. */
interface Part {
  readonly name: string;
  readonly file: string;
  readonly env?: Readonly<Record<string, string>>;
  /** It was ready once, so it is worth starting again. */
  readonly cameUp?: boolean;
}

const BACKOFF_MS = { first: 200, longest: 5000 } as const;
/** After a life this long the pauses are short again. */
const HEALTHY_MS = 10_000;

/**
 * Runs each part as a process of its own and starts it again when it dies. Told to stop, it tells them and exits when they are
 * gone; they notice by themselves if it dies. One that never came up ends all, because its settings won't mend by themselves.
 */
export const supervise = (parts: readonly Part[], patienceMs: number): void => {
  const children = new Set<ChildProcess>();
  const pauses = new Set<NodeJS.Timeout>();
  let stopping = false;
  let allGone = (): void => undefined;

  const stopAll = (): Promise<void> => {
    stopping = true;
    for (const pause of pauses) clearTimeout(pause);
    // A lost message is no loss: a child whose channel is gone is stopping already.
    for (const child of children) if (child.connected) child.send('stop', () => undefined);
    return new Promise((resolve) => {
      allGone = resolve;
      if (children.size === 0) resolve();
    });
  };

  const launch = (part: Part, backoffMs: number): void => {
    const begun = performance.now();
    const file = fileURLToPath(new URL(part.file, import.meta.url));
    const child = fork(file, { env: { ...process.env, ...part.env }, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    let ready = part.cameUp === true;
    let env = part.env ?? {};
    children.add(child);
    child.on('message', (message: { readonly ready?: boolean; readonly port?: number }) => {
      ready = true;
      // Whoever knows its address finds it there again.
      if (message.port !== undefined) env = { ...env, PORT: String(message.port) };
    });
    child.once('exit', (code, signal) => {
      children.delete(child);
      if (stopping) {
        if (code !== null && code !== 0) process.exitCode = 1;
        if (children.size === 0) allGone();
        return;
      }
      if (!ready) {
        process.exitCode = 1;
        return stop();
      }
      const delayMs = performance.now() - begun > HEALTHY_MS ? BACKOFF_MS.first : backoffMs;
      console.error(`the ${part.name} ended (${signal ?? code}); starting it again in ${delayMs} ms`);
      const pause = setTimeout(() => {
        pauses.delete(pause);
        launch({ ...part, env, cameUp: true }, Math.min(2 * delayMs, BACKOFF_MS.longest));
      }, delayMs);
      pauses.add(pause);
    });
  };

  const stop = drainOnStop(patienceMs, stopAll);
  process.on('exit', () => {
    for (const child of children) child.kill('SIGKILL');
  });
  for (const part of parts) launch(part, BACKOFF_MS.first);
};
