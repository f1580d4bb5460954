import { readCloudEvent } from '../core/cloud-event.ts';
import { OrderfoldError } from '../core/errors.ts';
import type { StoredEvent } from '../core/records.ts';
import type { System, Timer } from '../core/system.ts';
import type { Received } from '../core/transport.ts';
import type { Feed } from './feed.ts';
import type { Holding } from './holding.ts';
import { accepts, roomOf } from './reading.ts';
import type { TransportLink } from './transport-link.ts';

const AGAIN_MS = { first: 100, longest: 2000 } as const;
/** Leases come and go several at a time. */
const SETTLE_MS = 20;

/** Takes what a broker carries to the subscriptions of this process. The store knows everything that comes, and fills in what does not. */
export interface Reception {
  /** Other shards are held than before. */
  changed(feed: Feed): void;
  /** A delivery ended: there may be room for more. */
  roomAgain(feed: Feed): void;
  stop(): void;
}

interface Context {
  readonly link: TransportLink;
  readonly system: System;
  readonly feeds: readonly Feed[];
  readonly sweepMs: number;
  readonly ofShard: (shard: number) => readonly Holding[];
  readonly holdings: () => Iterable<Holding>;
  /** Events of the holding's shard came, in whatever order. */
  readonly arrived: (holding: Holding, events: readonly StoredEvent[]) => void;
  /** Reads from the log what is there now. */
  readonly catchUp: (feed: Feed) => void;
  /** Reads from the log what has been there since the last sweep and did not come. */
  readonly sweep: () => void;
  readonly trouble: (where: string, error: unknown) => void;
}

/** One subscription's receiver, begun anew whenever other shards are held. */
interface Receiver {
  readonly feed: Feed;
  shards: readonly number[];
  running: AbortController | null;
  settling: Timer | null;
  /** Ends a pause. */
  wake: () => void;
  /** Ends a wait for room. */
  makeRoom: () => void;
}

export const createReception = (context: Context): Reception => {
  const { link, system, feeds, sweepMs, ofShard, holdings, arrived, catchUp, sweep, trouble } = context;
  const receivers = new Map<Feed, Receiver>(
    feeds
      .filter(({ carried }) => carried)
      .map((feed) => [feed, { feed, shards: [], running: null, settling: null, wake: () => {}, makeRoom: () => {} }]),
  );
  const strangers = new Set<string>();
  let stopped = false;

  /** Of another store, or of nobody's: told of once each, and left alone. */
  const stranger = (subscription: string, source: string, error: unknown): void => {
    if (strangers.has(source) || strangers.size >= 100) return;
    strangers.add(source);
    trouble(`receive ${subscription}`, error);
  };

  const eventIn = (subscription: string, mine: string, body: string): StoredEvent | null => {
    try {
      const { source, event } = readCloudEvent(body);
      if (source === mine) return event;
      stranger(subscription, source, new OrderfoldError('TRANSPORT', `an event of another store came: ${source}`, { retryable: false }));
    } catch (error) {
      stranger(subscription, '', error);
    }
    return null;
  };

  const take = ({ subscription: { name } }: Feed, source: string, batch: readonly Received[]): void => {
    const byHolding = new Map<Holding, StoredEvent[]>();
    for (const { body, ack } of batch) {
      // From here on it is in hand, or the log has it.
      ack();
      const event = eventIn(name, source, body);
      if (event === null) continue;
      const holding = ofShard(event.shard).find(({ subscription }) => subscription.name === name);
      if (holding === undefined || !accepts(holding) || event.position <= holding.cursor) continue;
      const events = byHolding.get(holding);
      if (events === undefined) byHolding.set(holding, [event]);
      else events.push(event);
    }
    for (const [holding, events] of byHolding) arrived(holding, events);
  };

  const hasRoom = (feed: Feed): boolean => roomOf(feed) >= feed.readAhead / 2;

  const room = (receiver: Receiver, signal: AbortSignal): Promise<void> | undefined => {
    if (hasRoom(receiver.feed) || signal.aborted) return undefined;
    return new Promise((resolve) => {
      receiver.makeRoom = resolve;
    });
  };

  const pause = (receiver: Receiver, delayMs: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = system.setTimer(delayMs, resolve);
      receiver.wake = () => {
        timer.cancel();
        resolve();
      };
    });

  const receive = async (receiver: Receiver, shards: readonly number[], { signal }: AbortController): Promise<void> => {
    const { feed } = receiver;
    for (let delayMs: number = AGAIN_MS.first; !signal.aborted; delayMs = Math.min(delayMs * 2, AGAIN_MS.longest)) {
      try {
        // What was published before there was anything to receive it, and while the broker is away, is in the log only.
        const source = await link.ready().finally(() => catchUp(feed));
        for await (const batch of link.transport.receive(feed.subscription.name, shards, signal)) {
          link.works();
          delayMs = AGAIN_MS.first;
          take(feed, source, batch);
          await room(receiver, signal);
        }
      } catch (error) {
        link.lost(error);
      }
      if (!signal.aborted) await pause(receiver, delayMs * (0.5 + system.random() / 2));
    }
  };

  const end = (receiver: Receiver): void => {
    receiver.running?.abort();
    receiver.running = null;
    receiver.wake();
    receiver.makeRoom();
  };

  const begin = (receiver: Receiver): void => {
    receiver.settling = null;
    const shards = [...holdings()].filter((one) => one.feed === receiver.feed && accepts(one)).map(({ lease }) => lease.shard);
    shards.sort((a, b) => a - b);
    if (String(shards) === String(receiver.shards)) return;
    receiver.shards = shards;
    end(receiver);
    if (shards.length === 0) return;
    const running = new AbortController();
    receiver.running = running;
    receive(receiver, shards, running).catch((error) => trouble(`receive ${receiver.feed.subscription.name}`, error));
  };

  let sweeping: Timer | null = null;
  const sweepOn = (): void => {
    // What came into the log right after one sweep is known at the second after it, and read at the third.
    sweeping = system.setTimer(sweepMs / 3, () => {
      sweep();
      sweepOn();
    });
  };
  sweepOn();
  link.ready().catch(link.lost);

  return {
    changed(feed) {
      const receiver = receivers.get(feed);
      if (receiver === undefined || stopped) return;
      receiver.settling ??= system.setTimer(SETTLE_MS, () => begin(receiver));
    },
    roomAgain(feed) {
      const receiver = receivers.get(feed);
      if (receiver !== undefined && hasRoom(feed)) receiver.makeRoom();
    },
    stop() {
      stopped = true;
      sweeping?.cancel();
      for (const receiver of receivers.values()) {
        receiver.settling?.cancel();
        end(receiver);
      }
    },
  };
};
