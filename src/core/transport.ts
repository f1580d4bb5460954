/**
 * An envelope on its way: what a broker routes by, and the text it carries. The body is made and read by who uses the port
 * (CloudEvents as JSON), so that a payload nobody can read travels as well as any other.
 */
export interface Message {
  /** The envelope's id. Published again, it is the same message. Any text. */
  readonly id: string;
  /** Messages of one stream stay in order. Any text, half surrogate pairs and 10,000 characters included; an adapter encodes it. */
  readonly stream: string;
  /** Of the stream; whose receivers get it. */
  readonly shard: number;
  /** The event's type, for brokers that let other services pick by it. Any text. */
  readonly type: string;
  /** Any well-formed text, NUL included, at most `maxBodyBytes` in UTF-8. */
  readonly body: string;
}

/** One hand-over of a message to one receiver. */
export interface Received {
  /** The text as it was published. */
  readonly body: string;
  /**
   * Says that the message needs no other delivery to this subscription. Never throws and may be called twice. The broker hears of it
   * soon, at the latest before the receiver has ended in peace; an ack that it never hears of leads to a redelivery, which is harmless.
   * One that comes after the end may be ignored.
   */
  ack(): void;
}

/** What not every broker can promise. One flag gates exactly the case of the suite that is named after it. */
export interface TransportCapabilities {
  /** What a receiver left un-acked comes again before later messages of its stream. Otherwise it may come after them. */
  readonly redeliversInOrder: boolean;
  /** A message whose id was published before is dropped, as long as the first is kept. Otherwise it is delivered again. */
  readonly deduplicates: boolean;
  /** A log: a subscription made later gets what was published before, as far as it is kept. Otherwise it gets what follows. */
  readonly replays: boolean;
  /** What `publish` resolved for outlives a restart of the broker. */
  readonly durable: boolean;
  /** The largest body it carries, in bytes of UTF-8. */
  readonly maxBodyBytes: number;
}

/** At most so many messages are in one batch of `receive`, so that who pulls knows what it must have room for. */
export const LARGEST_BATCH = 256;

/**
 * All a broker has to be: a queue or a log that carries messages to every subscription at least once. What it can't promise stands
 * in `capabilities`. It decides nothing about failure: order under retries, dead letters and what was done already are known to the
 * store alone, which also fills in what a broker lost. Any number of processes may publish and receive at once.
 * Rejections are `OrderfoldError`s: `TRANSPORT` (`retryable` unless no repeat can help), `BUSY`, `CONFIG`, `CLOSED`.
 */
export interface Transport {
  readonly capabilities: TransportCapabilities;
  /**
   * Connects, and makes these subscriptions exist: each gets every message published after this resolved, by whomever, whether anybody
   * receives yet or not, as far back as the broker keeps them. Idempotent, also for subscriptions that exist, which lose nothing and get
   * nothing again; safe when several processes race. Names are well-formed text. Where it fails it is asked again, later, for the same.
   * @param shards how many the store has; it never changes. @throws `CONFIG` when the broker is set up in a way that breaks a promise.
   */
  open(setup: { readonly subscriptions: readonly string[]; readonly shards: number }): Promise<void>;
  /**
   * Those of a stream in the order given, behind what an earlier call that resolved has published; calls in flight at once have no order
   * among each other. Resolves once durable: the publisher may die then. If it rejects, or its process dies, some of the messages may be
   * out, of each stream the first ones: publish all of them again, ids make repeats harmless. The bus never gives more than
   * `LARGEST_BATCH` at once, so a bound has to have room for that many.
   * @throws `BUSY` while a bound is full. `CONFIG` for what somebody has to put right at the broker. `TRANSPORT`, not retryable, before any of them is out, if a body is larger than `maxBodyBytes`.
   */
  publish(messages: readonly Message[]): Promise<void>;
  /**
   * Batches of 1 to `LARGEST_BATCH` messages of these shards, those of a stream in order. Pulling is the back-pressure: nothing is handed
   * out that was not pulled, and a receiver that doesn't pull holds up neither publishers (but for `BUSY`) nor other subscriptions. What is
   * un-acked may be bounded, so that more comes only when some of it is acked.
   * Ends, without error and soon, when `signal` aborts or the transport is closed, also amid a wait; throws `TRANSPORT`, retryable, when
   * the broker is lost. What it handed out and nobody acked is delivered again then, as it is after a `break` and after the death of
   * the process; acked messages are not, unless the ack was lost. Leases move, so two receivers may have a shard at once for a while:
   * then each message comes to one of them at least. @throws `CONFIG` for a subscription that was never opened here.
   */
  receive(subscription: string, shards: readonly number[], signal: AbortSignal): AsyncIterable<readonly Received[]>;
  /** Ends what receives, sends the acks there are and lets go of the connection. Idempotent; a client passed in by the caller stays open. */
  close(): Promise<void>;
}
