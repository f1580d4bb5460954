// One order through a started system, as a user would: start it, wait for its URL, place, wait until settled, Ctrl-C.
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

const order = { customerId: 'journey', currency: 'EUR', items: [{ sku: 'book', quantity: 2, unitPriceMinor: 1250 }] };

const within = async (ms, what, output, attempt) => {
  const end = performance.now() + ms;
  for (;;) {
    const answer = await attempt();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error(`no ${what} within ${ms} ms\n${output()}`);
    await sleep(50);
  }
};

const json = async (url, init) => {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`${init?.method ?? 'GET'} ${url} answered ${response.status}: ${await response.text()}`);
  return await response.json();
};

/** Starts `command`, places one order, waits until it is confirmed or cancelled, interrupts the process group.
 *  Resolves with the order's status; rejects with everything the command printed if anything else happens, an exit code
 *  other than 0 included. Leaves no process behind. Windows has no Ctrl-C to send: there it ends the processes. */
export const journey = async (command, args, { env = {}, cwd } = {}) => {
  const grouped = process.platform !== 'win32';
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, PORT: '0', ...env },
    detached: grouped,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  const output = () => text;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      text += chunk;
    });
  }
  let ended;
  const exit = new Promise((resolve) => {
    const end = (how) => {
      ended = how;
      resolve(how);
    };
    child.on('error', (error) => end(error.message));
    child.on('close', (code, signalName) => end(code ?? signalName));
  });
  const signal = (name) => (grouped ? process.kill(-child.pid, name) : child.kill(name));
  const alive = () => {
    try {
      return signal(0);
    } catch {
      return false;
    }
  };
  const running = () => {
    if (ended !== undefined) throw new Error(`${command} ended early (${ended})\n${text}`);
  };
  try {
    const url = await within(60_000, 'line "listening on http://…"', output, () => {
      running();
      return /listening on (http:\/\/\S+)/.exec(text)?.[1];
    });
    const headers = { 'content-type': 'application/json' };
    const { orderId } = await json(`${url}/orders`, { method: 'POST', headers, body: JSON.stringify(order) });
    const status = await within(60_000, `settled order ${orderId}`, output, async () => {
      running();
      const folded = await json(`${url}/orders/${orderId}`);
      return folded.status === 'confirmed' || folded.status === 'cancelled' ? folded.status : undefined;
    });
    if (!grouped) return { url, orderId, status };
    signal('SIGINT');
    const code = await Promise.race([exit, sleep(30_000, 'still running 30 s after SIGINT', { ref: false })]);
    // Ctrl-C reaches the shell between npm and its script too, and some shells then die of it whatever the script answers.
    const drained = code === 0 || (command === 'npm' && (code === 'SIGINT' || code === 130));
    if (!drained) throw new Error(`${command} did not drain: ${code}\n${text}`);
    await within(5_000, 'end of all its processes', output, () => (alive() ? undefined : true));
    return { url, orderId, status };
  } finally {
    if (child.pid !== undefined && alive()) signal('SIGKILL');
  }
};

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [command, ...args] = process.argv.slice(2);
  const { orderId, status } = await journey(command, args);
  console.log(`${[command, ...args].join(' ')}: order ${orderId} is ${status}, drained`);
}
