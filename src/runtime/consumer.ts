import { OrderfoldError } from '../core/errors.ts';
import type { Lease, LeaseRef } from '../core/store.ts';
import type { Timer } from '../core/system.ts';
import { newFeed } from './feed.ts';
import { type Holding, newHolding } from './holding.ts';
import { createHoldings, keyOf } from './holdings.ts';
import { isCarried } from './relay.ts';
import type { Subscription } from './subscription.ts';
import { createTakeover } from './takeover.ts';
import { createWorks, type WorksContext } from './works.ts';

export interface ConsumerOptions {
  /** Handlers running at once in this process. */
  readonly concurrency: number;
  readonly leaseMs: number;
  /** Deliveries of one subscription in this process's hands at most, and as many that were parked. */
  readonly readAhead: number;
  /** How long what a broker did not bring waits at most. */
  readonly sweepMs: number;
}

export interface Consumer {
  start(): Promise<void>;
  /** Ends reading, waits for what runs up to `graceMs`, aborts and parks the rest, and lets go of the leases. */
  stop(graceMs: number): Promise<void>;
  /** A parked delivery may have become runnable. */
  parkedDue(): void;
  /** Something was paused or resumed; resolves once that is heeded here. */
  pausesChanged(): Promise<void>;
  /** Leases may have come free: claims them now instead of at the next tick. */
  leasesFreed(): void;
}

interface Context<State> extends WorksContext<State> {
  readonly subscriptions: readonly Subscription[];
  /** Is called at every tick. */
  readonly upkeep: () => void;
}

/** Owns shards by lease and runs their deliveries until it is stopped. One use. */
export const createConsumer = <State>(context: Context<State>, options: ConsumerOptions): Consumer => {
  const { store, system, notifier, committer, subscriptions, owner, link } = context;
  const { concurrency, leaseMs, readAhead, sweepMs } = options;
  const carried = (subscription: Subscription): boolean => link !== undefined && isCarried(subscription);
  const feeds = subscriptions.map((subscription) => newFeed(system, subscription, options, carried(subscription)));
  const byName = new Map(feeds.map((feed) => [feed.subscription.name, feed]));
  const holdings = createHoldings(store.shards, (feed) => works.heldAnew(feed));
  let toRelease: { lease: LeaseRef; clean: boolean }[] = [];
  let stopping = false;
  /** Nothing is left to renew a lease for. */
  let drainedOut = false;
  let stopped: Promise<void> | null = null;
  let ticking: Promise<void> | null = null;
  let tickTimer: { readonly timer: Timer; readonly at: number } | null = null;
  let expiry: Timer | null = null;
  /** Monotonic; the end of every lease held, unless renewed. */
  let leasedUntil = 0;
  let short = false;
  let unwatch = (): void => {};
  let detach = (): void => {};

  const trouble = (where: string, error: unknown): void => notifier.emit('trouble', { where, error });

  const forget = (holding: Holding): void => {
    holding.live = false;
    holdings.remove(holding);
    works.forget(holding);
  };

  const lose = (holding: Holding): void => {
    if (!holding.live) return;
    forget(holding);
    const { subscription, shard, epoch } = holding.lease;
    works.abort([holding], new OrderfoldError('LEASE_LOST', `the lease of ${subscription}, shard ${shard}, went to another worker`));
    notifier.emit('leaseLost', { subscription, shard, epoch });
  };

  /** Ends a holding that can't go on, for whoever gains its lease next to look for suspects. */
  const giveUp = (holding: Holding): void => {
    if (!holding.live) return;
    lose(holding);
    toRelease.push({ lease: holding.lease, clean: false });
  };

  const mayStart = (holding: Holding): boolean => holding.live && system.monotonic() < leasedUntil;
  const works = createWorks<State>(context, { feeds, holdings, concurrency, readAhead, sweepMs, lose, giveUp, mayStart, trouble });
  const takeOver = createTakeover<State>(context);

  const gain = async (lease: Lease): Promise<void> => {
    const feed = byName.get(lease.subscription);
    if (feed === undefined) return;
    const gainedAt = system.monotonic();
    const suspects = await takeOver(lease, feed.subscription);
    if (suspects === null || stopping) {
      if (suspects !== null) toRelease.push({ lease, clean: true });
      return;
    }
    // What was left took so long to write down that the lease ran out and was gained anew: of the two, the later one counts.
    const other = holdings.get(lease);
    if (other !== undefined && other.lease.epoch > lease.epoch) return;
    if (other !== undefined) lose(other);
    const holding = newHolding(lease, feed, gainedAt, suspects);
    holdings.add(holding);
    notifier.emit('leaseGained', { subscription: lease.subscription, shard: lease.shard, epoch: lease.epoch, clean: lease.clean });
  };

  const handOver = async (holding: Holding): Promise<void> => {
    await works.drain(holding);
    if (!holding.live || stopping) return;
    forget(holding);
    toRelease.push({ lease: holding.lease, clean: true });
    tickIn(0);
  };

  /** Leases the store says are ours, but whose gaining never reached us or failed: let go uncleanly, so that whoever gains them looks for suspects. */
  const letGoOfStrays = (held: readonly LeaseRef[]): void => {
    const releasing = new Set(toRelease.map(({ lease }) => keyOf(lease)));
    for (const lease of held) if (!holdings.has(lease) && !releasing.has(keyOf(lease))) toRelease.push({ lease, clean: false });
  };

  /** Resolves with when the next is due. */
  const tick = async (): Promise<number> => {
    const begun = system.monotonic();
    const release = toRelease;
    toRelease = [];
    const before = new Set(holdings.all());
    try {
      const result = await store.tick({ owner, subscriptions: [...byName.keys()], leaseMs, release, claim: !stopping });
      expiry?.cancel();
      leasedUntil = begun + leaseMs;
      expiry = system.setTimer(Math.max(0, leasedUntil - system.monotonic()), () => {
        for (const holding of [...holdings.all()]) lose(holding);
      });
      const held = new Set(result.held.map((lease) => `${keyOf(lease)}/${lease.epoch}`));
      for (const holding of before) if (!held.has(`${keyOf(holding.lease)}/${holding.lease.epoch}`)) lose(holding);
      await Promise.all(result.gained.map((lease) => gain(lease)));
      letGoOfStrays(result.held);
      short = false;
      for (const name of byName.keys()) {
        const mine = [...holdings.all()].filter((holding) => holding.subscription.name === name && !holding.closing);
        const share = result.share[name] ?? store.shards;
        for (const holding of mine.slice(share)) handOver(holding).catch((error) => trouble('hand over', error));
        if (mine.length < Math.floor(store.shards / Math.ceil(store.shards / share))) short = true;
      }
      // `watch` only hints: what it missed is found here.
      works.look(0);
      if (!stopping) context.upkeep();
      return toRelease.length > 0 ? 0 : leaseMs / 3;
    } catch (error) {
      toRelease = [...release, ...toRelease];
      trouble('lease', error);
      return leaseMs / 10;
    }
  };

  const tickNow = (): Promise<void> => {
    ticking = tick().then((nextInMs) => {
      ticking = null;
      tickIn(nextInMs);
    });
    return ticking;
  };

  const tickIn = (inMs: number): void => {
    if (drainedOut) return;
    const at = system.monotonic() + inMs;
    if (tickTimer !== null && tickTimer.at <= at) return;
    tickTimer?.timer.cancel();
    const fire = (): void => {
      tickTimer = null;
      if (ticking === null && !drainedOut) void tickNow();
    };
    tickTimer = { timer: system.setTimer(inMs, fire), at };
  };

  const end = async (graceMs: number): Promise<void> => {
    stopping = true;
    unwatch();
    await ticking;
    works.shut();
    const drained = Promise.all([...holdings.all()].map(works.drain));
    let patience: Timer | null = null;
    const outOfTime = new Promise<'late'>((resolve) => {
      patience = system.setTimer(graceMs, () => resolve('late'));
    });
    if ((await Promise.race([drained, outOfTime])) === 'late') {
      works.abort(holdings.all(), new OrderfoldError('CLOSED', 'the worker is stopping'));
      const tooLong = new Promise<void>((resolve) => {
        patience = system.setTimer(Math.max(1000, leaseMs / 2), resolve);
      });
      await Promise.race([drained, tooLong]);
    }
    (patience as Timer | null)?.cancel();
    // Until here leases were renewed: what outlives one of them would lose its outcome.
    drainedOut = true;
    tickTimer?.timer.cancel();
    await ticking;
    const left = [...holdings.all()];
    for (const holding of left) {
      toRelease.push({ lease: holding.lease, clean: holding.busy === 0 && holding.done.length === 0 && holding.flying === 0 });
      forget(holding);
    }
    expiry?.cancel();
    await tick();
    // A release that failed, and leases nobody here knew of: without another try they would last until they run out.
    if (toRelease.length > 0) await tick();
    expiry?.cancel();
    works.end();
    detach();
  };

  return {
    async start() {
      detach = committer.attach(works.intake);
      unwatch = store.watch(() => {
        works.look(50);
        if (short) tickIn(100);
      });
      await tickNow();
    },
    stop(graceMs) {
      stopped ??= end(graceMs);
      return stopped;
    },
    parkedDue: () => works.parkedDue(0),
    pausesChanged: works.refreshPauses,
    leasesFreed: () => tickIn(0),
  };
};
