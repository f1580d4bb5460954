import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { from } from './orderfold.ts';

/** A process beside this one, spoken to in messages of one kind there and one back. */
export interface Child<Answer> {
  send(message: object): void;
  /** The next message that was not taken yet. */
  answer(): Promise<Answer>;
  end(): Promise<void>;
}

const processes = new Set<ChildProcess>();
process.on('exit', () => {
  for (const one of processes) one.kill('SIGKILL');
});

/** Starts a file of this folder and waits for its first message, which only says that it is ready. */
export const startChild = async <Answer>(file: string, args: readonly string[]): Promise<Child<Answer>> => {
  const started = fork(fileURLToPath(new URL(file, import.meta.url)), args, {
    execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning', ...(from === 'src' ? ['--conditions=orderfold-source'] : [])],
    env: { ...process.env, BENCH_FROM: from },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  processes.add(started);
  const arrived: Answer[] = [];
  const waiting: { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void }[] = [];
  let ending = false;
  started.on('message', (message) => {
    const next = waiting.shift();
    if (next === undefined) arrived.push(message as Answer);
    else next.resolve(message as Answer);
  });
  started.on('exit', (code) => {
    processes.delete(started);
    if (!ending) for (const { reject } of waiting) reject(new Error(`${file} ended with ${code}`));
  });
  const answer = (): Promise<Answer> =>
    arrived.length > 0
      ? Promise.resolve(arrived.shift() as Answer)
      : started.exitCode !== null
        ? Promise.reject(new Error(`${file} ended with ${started.exitCode}`))
        : new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  await answer();
  return {
    send: (message) => void started.send(message),
    answer,
    async end() {
      ending = true;
      const exited = once(started, 'exit');
      started.send('end');
      const [code] = await exited;
      if (code !== 0) throw new Error(`${file} ended with ${code}`);
    },
  };
};

/** In the child: says that it is ready, answers what it is sent, and ends when told to or when nobody is left to tell it. */
export const serve = <Message>(take: (message: Message) => unknown, end: () => Promise<unknown>): void => {
  process.on('message', (message) => {
    if (message !== 'end') return void take(message as Message);
    end().then(
      () => process.disconnect?.(),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
  process.on('disconnect', () => process.exit());
  process.send?.('ready');
};
