import { isOpen, type ParkedDelivery, type StoredEvent } from '../../core/records.ts';
import type { Subscription } from '../../runtime/subscription.ts';
import type { VirtualSystem } from '../virtual-system.ts';
import type { Process } from './process.ts';
import type { Witness } from './witness.ts';

/** One run of a handler. */
export interface Run {
  readonly process: Process;
  readonly subscription: string;
  readonly event: StoredEvent;
  readonly attempt: number;
  readonly generation: number;
  readonly signal: AbortSignal;
  readonly lease: { readonly owner: string; readonly epoch: number } | undefined;
  ended: 'ok' | 'failed' | null;
}

export interface Judge {
  /**
   * Handlers are known by their subscription; every process declares the same, and the first is believed.
   * @param runs a step need not run for a request that is moot. @default 'always'
   */
  declare(name: string, subscription: () => Subscription, runs?: 'always' | 'if wanted'): void;
  begins(run: Omit<Run, 'lease' | 'ended'>): Run;
  ends(run: Run, how: 'ok' | 'failed'): void;
  /** Its own doing ended its process. */
  kills(run: Run): void;
  /** Runs of leases that somebody else has gained have been told so. */
  leaseChanged(subscription: string, shard: number): void;
  /** Nothing can move without somebody's doing. */
  isQuiet(): boolean;
  /** What was never done, once nothing is left to wait for. */
  finish(): void;
}

/** Where the policy sets no limit. */
const MOST_CRASHES = 20;
/** Lost in company, before a delivery goes on trial. */
const UNCHARGED_STARTS = 2;

const inTheWay = (record: ParkedDelivery): boolean => record.state === 'scheduled' || (record.state === 'dead' && record.holds);

/**
 * Watches the deliveries of all processes from beneath and says what is wrong with a start, an end or the rest that is left.
 * @param wrong takes the invariant and what breaks it
 */
export const createJudge = (
  system: VirtualSystem,
  witness: Witness,
  wrong: (invariant: string, text: string, orderId?: string) => void,
): Judge => {
  const subscriptions = new Map<string, Subscription>();
  /** Wanted and not done yet, of what was written before `looked`. */
  let undone: { readonly subscription: string; readonly event: StoredEvent }[] = [];
  let looked = 0;
  const alwaysRun = new Set<string>();
  /** By delivery and generation. */
  const kills = new Map<string, number>();
  /** By subscription and stream. */
  const runs = new Map<string, Run[]>();

  const wants = (subscription: string, event: StoredEvent): boolean => subscriptions.get(subscription)?.routes.has(event.type) === true;
  const lane = (subscription: string, stream: string): Run[] => {
    const key = `${subscription}/${stream}`;
    const known = runs.get(key) ?? [];
    runs.set(key, known);
    return known;
  };
  const isLive = ({ ended, process, signal, subscription, event, lease }: Run): boolean => {
    const owner = witness.ownerOf(subscription, event.shard);
    return (
      ended === null &&
      process.alive &&
      !signal.aborted &&
      owner !== undefined &&
      owner.owner === lease?.owner &&
      owner.epoch === lease.epoch
    );
  };
  const stillUndone = () => {
    for (const event of witness.written.slice(looked))
      for (const subscription of subscriptions.keys()) if (wants(subscription, event)) undone.push({ subscription, event });
    looked = witness.written.length;
    undone = undone.filter(({ subscription, event }) => !witness.isDone(subscription, event));
    return undone;
  };
  /** It goes on, for all its process knows. */
  const isOn = ({ ended, signal, process }: Run): boolean => ended === null && !signal.aborted && process.alive && !process.stalled;
  const idOf = (subscription: string, { stream, version }: StoredEvent): string => `${subscription}:${stream}@${version}`;

  const judgeStart = (run: Run): void => {
    const { subscription, event, attempt, generation, process } = run;
    const { stream, version } = event;
    const id = idOf(subscription, event);
    const bad = (invariant: string, text: string): void => wrong(invariant, `${id} ${text}`, stream);
    const most = subscriptions.get(subscription)?.routes.get(event.type)?.attempts ?? Infinity;
    if (attempt > most) bad('R3', `is told attempt ${attempt} of ${most}`);
    for (const other of lane(subscription, stream)) {
      if (isLive(other)) bad('R16', `starts in ${process.name} while version ${other.event.version} runs in ${other.process.name}`);
      if (other.event.version === version && other.generation === generation && other.attempt > attempt)
        bad('R9', `is told attempt ${attempt} after ${other.attempt}`);
    }
    for (const earlier of witness.events.get(stream) ?? []) {
      if (earlier.version >= version) break;
      if (!wants(subscription, earlier)) continue;
      const record = witness.parked.get(idOf(subscription, earlier));
      if (record === undefined) {
        const last = lane(subscription, stream).findLast((one) => one.event.version === earlier.version);
        if (last?.ended !== 'ok' && !witness.isDone(subscription, earlier)) bad('R16', `starts before version ${earlier.version} has run`);
      } else if (inTheWay(record) && (record.holds || record.generation === 0))
        bad(record.state === 'dead' ? 'R17' : 'R16', `starts while version ${earlier.version} is ${record.state}`);
    }
    const record = witness.parked.get(id);
    if (record !== undefined && record.startedAt === null) bad('R10', 'starts and its start is not written down');
    const wait = record === undefined || record.attempts === 0 ? 0 : record.dueAt - system.now();
    if (wait > 0) bad('R6', `starts ${wait} ms before it is due`);
  };

  witness.onDone((subscription, event) => {
    if (!alwaysRun.has(subscription) || !wants(subscription, event)) return undefined;
    const ran = lane(subscription, event.stream).some((run) => run.event.version === event.version && run.ended === 'ok');
    return ran ? undefined : `${idOf(subscription, event)} counts as done, and its handler never succeeded`;
  });

  return {
    declare(name, subscription, runs = 'always') {
      if (subscriptions.has(name)) return;
      subscriptions.set(name, subscription());
      if (runs === 'always') alwaysRun.add(name);
    },
    begins(started) {
      const run: Run = { ...started, lease: witness.ownerOf(started.subscription, started.event.shard), ended: null };
      judgeStart(run);
      lane(run.subscription, run.event.stream).push(run);
      return run;
    },
    ends(run, how) {
      run.ended = how;
    },
    kills({ subscription, event, generation }) {
      const id = idOf(subscription, event);
      const key = `${id}/${generation}`;
      const killed = (kills.get(key) ?? 0) + 1;
      kills.set(key, killed);
      const most = (subscriptions.get(subscription)?.routes.get(event.type)?.attempts ?? MOST_CRASHES) + UNCHARGED_STARTS;
      if (killed > most) wrong('R4', `${id} has killed ${killed} processes in one generation`, event.stream);
    },
    leaseChanged(subscription, shard) {
      const owner = witness.ownerOf(subscription, shard)?.owner;
      const others = [...runs.values()].flat().filter((run) => run.subscription === subscription && run.event.shard === shard && isOn(run));
      // The lease ran out in this very moment, and who goes first in it is open.
      for (const run of others.filter(({ lease }) => lease?.owner !== owner))
        system.setTimer(1, () => {
          if (isOn(run))
            wrong('R14', `${idOf(subscription, run.event)} runs on in ${run.process.name}, whose lease is over`, run.event.stream);
        });
    },
    isQuiet() {
      for (const record of witness.parked.values()) {
        if (record.state !== 'scheduled') continue;
        if (record.kind === 'timer') {
          if (record.startedAt !== null || record.dueAt <= system.now()) return false;
          continue;
        }
        const held = [...witness.parked.values()].some(
          (other) =>
            other.subscription === record.subscription &&
            other.stream === record.stream &&
            other.version < record.version &&
            other.state === 'dead' &&
            other.holds,
        );
        if (!held) return false;
      }
      return stillUndone().length === 0;
    },
    finish() {
      for (const { subscription, event } of stillUndone())
        wrong('R1', `${idOf(subscription, event)} is neither done nor waiting anywhere`, event.stream);
      for (const record of witness.parked.values()) {
        if (record.kind === 'delivery' && isOpen(record.state)) wrong('R1', `${record.id} ends as ${record.state}`, record.stream);
      }
    },
  };
};
