import { readCloudEvent } from '../../core/cloud-event.ts';
import { OrderfoldError } from '../../core/errors.ts';
import type { StoredEvent } from '../../core/records.ts';
import type { Message, Received, Transport } from '../../core/transport.ts';
import { createMemoryTransport } from '../../transports/memory/memory-transport.ts';
import type { VirtualSystem } from '../virtual-system.ts';
import type { Tell, Wrong } from './act.ts';
import type { Process } from './process.ts';

/** What strikes the n-th publication of all, counted from 1, or the n-th message. `late`: it comes after others. */
export type BrokerFault =
  | {
      readonly of: 'publish';
      readonly nth: number;
      readonly kind: 'rejectBefore' | 'rejectAfter' | 'half' | 'slow' | 'crashBefore' | 'crashAfter';
    }
  | { readonly of: 'message'; readonly nth: number; readonly kind: 'lost' | 'twice' | 'late' };

/** A broker between the processes of one run: what it is given it may lose, repeat, delay and bring out of order. */
export interface Broker {
  /** A process's connection, gone with the process. */
  connect(process: Process): { readonly transport: Transport; readonly cut: () => void };
  /** Nobody reaches it for so long. */
  away(durationMs: number): void;
  heal(): void;
  /** Every event written since its first message was published has been. */
  hasAll(written: readonly StoredEvent[]): boolean;
}

const SLOW_MS = 1000;
const LATE_MS = 700;

export const createBroker = (
  system: VirtualSystem,
  faults: readonly BrokerFault[],
  latencyMs: number,
  { strike, wrong }: { readonly strike: Tell; readonly wrong: Wrong },
): Broker => {
  const shared = createMemoryTransport(system);
  /** The version of each stream that was published last, each for the first time. */
  const published = new Map<string, number>();
  const receivers = new Set<() => void>();
  let publications = 0;
  let messages = 0;
  let awayUntil = 0;
  let healed = false;

  const after = (delayMs: number): Promise<void> => new Promise((resolve) => void system.setTimer(delayMs, resolve));
  const away = () => new OrderfoldError('TRANSPORT', 'the broker does not answer');
  const isAway = (): boolean => !healed && system.monotonic() < awayUntil;
  const faultAt = (of: BrokerFault['of'], nth: number): BrokerFault['kind'] | undefined => {
    const kind = healed ? undefined : faults.find((fault) => fault.of === of && fault.nth === nth)?.kind;
    if (kind !== undefined) strike(`broker ${kind}`, () => `${of} ${nth}`);
    return kind;
  };

  /** R16 is about who receives, and holds only if those of a stream are published in order. */
  const note = ({ stream, body }: Message): void => {
    const { version } = readCloudEvent(body).event;
    const last = published.get(stream) ?? version - 1;
    if (version > last + 1) wrong('R16', `version ${version} was published after ${last}`, stream);
    published.set(stream, Math.max(last, version));
  };

  /** A second one is another message to the broker beneath, which would drop it otherwise. */
  const carry = async (message: Message): Promise<void> => {
    messages += 1;
    const nth = messages;
    const kind = faultAt('message', nth);
    note(message);
    if (kind === 'lost') return;
    if (kind === 'late') system.setTimer(LATE_MS, () => void shared.publish([message]));
    else await shared.publish(kind === 'twice' ? [message, { ...message, id: `${message.id} again ${nth}` }] : [message]);
  };

  const publish = async (process: Process, given: readonly Message[]): Promise<void> => {
    publications += 1;
    const kind = faultAt('publish', publications);
    if (latencyMs > 0) await after(Math.floor(system.random() * (latencyMs + 1)));
    if (kind === 'crashBefore') process.crash();
    if (!process.alive) return;
    if (isAway() || kind === 'rejectBefore') throw away();
    for (const message of kind === 'half' ? given.slice(0, Math.floor(given.length / 2)) : given) await carry(message);
    if (kind === 'crashAfter') process.crash();
    if (kind === 'slow') await after(SLOW_MS);
    if (kind === 'half' || kind === 'rejectAfter') throw away();
  };

  const lost = Symbol('lost');
  async function* receive(
    process: Process,
    inner: Transport,
    ...asked: Parameters<Transport['receive']>
  ): AsyncGenerator<readonly Received[]> {
    if (isAway()) throw away();
    const batches = inner.receive(...asked)[Symbol.asyncIterator]();
    let cut = (): void => {};
    const isCut = new Promise<typeof lost>((resolve) => {
      cut = () => resolve(lost);
    });
    receivers.add(cut);
    try {
      for (;;) {
        const next = await process.inside(() => Promise.race([batches.next(), isCut]));
        if (next === lost) throw away();
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      receivers.delete(cut);
      void batches.return?.();
    }
  }

  return {
    connect(process) {
      const inner = shared.another();
      const transport: Transport = {
        capabilities: inner.capabilities,
        open: (setup) => process.inside(() => (isAway() ? Promise.reject(away()) : inner.open(setup))),
        publish: (given) => process.inside(() => publish(process, given)),
        receive: (...asked) => receive(process, inner, ...asked),
        close: () => inner.close(),
      };
      return { transport, cut: () => void inner.close() };
    },
    away(durationMs) {
      awayUntil = system.monotonic() + durationMs;
      for (const cut of [...receivers]) cut();
    },
    heal() {
      healed = true;
    },
    hasAll: (written) => written.every(({ stream, version }) => (published.get(stream) ?? 0) >= version),
  };
};
