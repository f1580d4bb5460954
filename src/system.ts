import type { System, Timer } from './core/system.ts';

const LONGEST_TIMER_MS = 2 ** 31 - 1;
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/**
 * `process.hrtime` is one clock for all processes of a machine, and `performance.now` the same one counted from this process's start, at a
 * fifth of the price. Outside Node the page's own clock has to do.
 */
const sinceBoot = (): number => {
  if (typeof process !== 'object' || typeof process.hrtime !== 'function') return 0;
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6 - performance.now();
};
const startedAt = sinceBoot();
const monotonic = (): number => startedAt + performance.now();

const randomBytes = new Uint8Array(1024);
let unusedBytes = 0;

/** 26 characters: 48 bits of time, 80 random bits, so that ids sort by their time and new rows land side by side. */
const id = (): string => {
  if (unusedBytes < 16) {
    crypto.getRandomValues(randomBytes);
    unusedBytes = randomBytes.length;
  }
  let text = '';
  for (let time = Date.now(), digit = 0; digit < 10; digit += 1) {
    text = ALPHABET.charAt(time % 32) + text;
    time = Math.floor(time / 32);
  }
  for (let digit = 0; digit < 16; digit += 1) {
    unusedBytes -= 1;
    text += ALPHABET.charAt((randomBytes[unusedBytes] ?? 0) & 31);
  }
  return text;
};

const setTimer = (delayMs: number, fire: () => void): Timer => {
  let left = delayMs;
  let handle: ReturnType<typeof setTimeout>;
  const arm = (): void => {
    const hop = Math.min(left, LONGEST_TIMER_MS);
    left -= hop;
    handle = setTimeout(left > 0 ? arm : fire, hop);
  };
  arm();
  return { cancel: () => clearTimeout(handle) };
};

/** The real clock, timers, randomness and ids. The only file of the engine that touches them. */
export const system: System = {
  now: () => Date.now(),
  monotonic,
  random: () => Math.random(),
  id,
  setTimer,
  soon: typeof setImmediate === 'function' ? (task) => void setImmediate(task) : queueMicrotask,
};
