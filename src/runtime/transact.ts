import { isLeft } from 'fp-ts/lib/Either.js';
import { type Envelope, isoTime } from '../core/envelope.ts';
import type { DocumentWrite, KeyClaim, ParkedWrite, PauseWrite } from '../core/records.ts';
import { shardOf } from '../core/shard.ts';
import type { LeaseRef, Unit } from '../core/store.ts';
import type { System } from '../core/system.ts';
import { traced } from '../core/traceparent.ts';
import type { Codec } from './codec.ts';
import type { Committer } from './committer.ts';
import type { Consequences, Decide, Fact, StreamModel } from './model.ts';
import type { Notifier } from './notifications.ts';
import { modelTimerId, newTimer } from './parking.ts';
import { patiently } from './patiently.ts';
import type { Snapshot, Streams } from './streams.ts';

/** One piece of work that changes the store: a decision over one stream, and what is committed with it. */
export interface Transaction<State, Refusal> {
  readonly stream: string;
  readonly decide?: Decide<State, Refusal>;
  /** The stream is known not to exist, so it need not be read. */
  readonly fresh?: boolean;
  /** Fails with `VERSION_CONFLICT` instead of deciding again when the stream is at another version. */
  readonly onlyAt?: number;
  readonly cause?: string;
  readonly traceparent?: string | undefined;
  readonly lease?: LeaseRef;
  readonly done?: readonly number[];
  readonly key?: KeyClaim;
  readonly park?: readonly ParkedWrite[];
  readonly drop?: readonly string[];
  readonly documents?: readonly DocumentWrite[];
  readonly pause?: readonly PauseWrite[];
  readonly resume?: readonly PauseWrite[];
  readonly rebuild?: readonly string[];
  readonly persistent: boolean;
}

export type Transacted<State, Refusal> =
  | { readonly kind: 'won'; readonly snapshot: Snapshot<State>; readonly events: readonly Envelope[] }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'elsewhere'; readonly version: number }
  | { readonly kind: 'key'; readonly taken: KeyClaim }
  | { readonly kind: 'lease' }
  | { readonly kind: 'revision' }
  | { readonly kind: 'document' };

export type Transact<State> = <Refusal>(transaction: Transaction<State, Refusal>) => Promise<Transacted<State, Refusal>>;

interface Context<State> {
  readonly store: { readonly shards: number };
  readonly system: System;
  readonly codec: Codec;
  readonly streams: Streams<State>;
  readonly committer: Committer;
  readonly model: StreamModel<State> | undefined;
  readonly notifier: Notifier;
}

/** `'read'`: the stream has been read for this transaction now. */
type Attempted<State, Refusal> = Transacted<State, Refusal> | 'again' | 'read';

const EMPTY: Snapshot<never> = { version: 0, state: undefined };

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** What is committed with the decision. Only what is there: this runs for every delivery, and spreading nothing costs as much. */
const givenWith = <State>(transaction: Transaction<State, unknown>): Mutable<Unit> => {
  const { lease, done, key, park, drop, documents, pause, resume, rebuild } = transaction;
  const unit: Mutable<Unit> = {};
  if (lease !== undefined) unit.lease = lease;
  if (done !== undefined) unit.done = done;
  if (key !== undefined) unit.key = key;
  if (park !== undefined) unit.park = park;
  if (drop !== undefined) unit.drop = drop;
  if (documents !== undefined) unit.documents = documents;
  if (pause !== undefined) unit.pause = pause;
  if (resume !== undefined) unit.resume = resume;
  if (rebuild !== undefined) unit.rebuild = rebuild;
  return unit;
};

/** A record that dies in the very unit that makes it moot ends as superseded. */
const parkedWith = (park: readonly ParkedWrite[], supersede: readonly string[]): readonly ParkedWrite[] =>
  park.map((write) =>
    write.record.state === 'dead' && supersede.includes(write.record.id)
      ? { ...write, record: { ...write.record, state: 'superseded' as const } }
      : write,
  );

/** Decides over a stream and commits what follows; a lost race for the stream's version is decided again over what is there now. */
export const createTransact = <State>(context: Context<State>): Transact<State> => {
  const { store, system, codec, streams, committer, model, notifier } = context;

  const follow = (unit: Mutable<Unit>, stream: string, { timers, dropTimers, supersede, wake }: Consequences): void => {
    const { park = [], drop = [] } = unit;
    if (supersede !== undefined) unit.park = parkedWith(park, supersede);
    if (timers !== undefined) unit.park = [...park, ...timers.map((timer) => newTimer(stream, shardOf(stream, store.shards), timer))];
    if (dropTimers !== undefined) unit.drop = [...drop, ...dropTimers.map((name) => modelTimerId(stream, name))];
    if (supersede !== undefined) unit.supersede = supersede;
    if (wake !== undefined) unit.wake = wake;
  };

  const unitFor = <Refusal>(
    transaction: Transaction<State, Refusal>,
    before: Snapshot<State>,
    facts: readonly Fact[],
  ): { readonly unit: Unit; readonly after: Snapshot<State> } => {
    const unit = givenWith(transaction);
    if (facts.length === 0) return { unit, after: before };

    const { stream, cause, traceparent } = transaction;
    const now = system.now();
    const events = facts.map(({ type, data: given }) => {
      const { data, schema } = codec.encode(type, given);
      const event = { type, schema, data, time: now };
      return traced(cause === undefined ? event : { ...event, cause }, traceparent);
    });
    const version = before.version + events.length;
    const expected = before.version === 0 ? ('none' as const) : before.version;
    if (model === undefined) {
      unit.appends = [{ stream, expected: transaction.onlyAt === undefined ? ('any' as const) : expected, events }];
      return { unit, after: { version, state: undefined } };
    }

    const time = isoTime(now);
    const state =
      model.decided?.(facts, before.state, time) ??
      model.fold(
        events.map(({ type, data }, index) => ({ stream, type, data: JSON.parse(data), version: before.version + index + 1, time })),
        before.state,
      );
    const text = model.text === undefined ? JSON.stringify(state) : model.text(state);
    unit.appends = [{ stream, expected, events, fold: { state: text, status: model.status(state), fingerprint: model.fingerprint } }];
    if (model.consequences !== undefined) follow(unit, stream, model.consequences(facts, state));
    return { unit, after: { version, state } };
  };

  const attempt = <Refusal>(transaction: Transaction<State, Refusal>, hasRead: boolean): Promise<Attempted<State, Refusal>> => {
    const { stream, decide, fresh, onlyAt, persistent } = transaction;
    const needsNoState = decide === undefined || (model === undefined && onlyAt === undefined);
    return new Promise((resolve, reject) => {
      let after: Snapshot<State> = EMPTY;
      const read = (): null => {
        const loading = persistent ? patiently(system, () => streams.load(stream), committer.isOpen) : streams.load(stream);
        loading.then(() => resolve('read'), reject);
        return null;
      };
      const answer = (outcome: Attempted<State, Refusal>): null => {
        resolve(outcome);
        return null;
      };
      committer.submit({
        persistent,
        decidesOver: needsNoState ? null : stream,
        prepare() {
          const before = needsNoState || fresh === true ? EMPTY : streams.peek(stream);
          if (before === undefined) return read();
          // A version guards what is appended. Anything else is believed only of what the store said since this was asked.
          const sure = needsNoState || fresh === true || hasRead;
          const askAgain = (): null => (hasRead ? answer('again') : read());
          if (onlyAt !== undefined && before.version !== onlyAt) {
            return sure ? answer({ kind: 'elsewhere', version: before.version }) : askAgain();
          }
          const decided = decide?.(before.state, before.version);
          if (decided !== undefined && isLeft(decided)) return sure ? answer({ kind: 'refused', refusal: decided.left }) : askAgain();
          const facts = decided?.right ?? [];
          if (facts.length === 0 && !sure) return askAgain();
          const made = unitFor(transaction, before, facts);
          after = made.after;
          if (facts.length === 0 && isEmpty(made.unit)) return answer({ kind: 'won', snapshot: before, events: [] });
          return made.unit;
        },
        settled(result, stored) {
          if (result.won) {
            let decoded: readonly Envelope[] | null = null;
            // Most callers want none of them, and reading them back is dear.
            const events = (): readonly Envelope[] => {
              decoded ??= stored().map(codec.decode);
              return decoded;
            };
            if (result.appended.length > 0) {
              if (!needsNoState) streams.remember(stream, after);
              if (notifier.has('appended')) notifier.emit('appended', { stream, events: events() });
            }
            return resolve({
              kind: 'won',
              snapshot: after,
              get events() {
                return events();
              },
            });
          }
          if (result.why !== 'version') return resolve(result.why === 'key' ? { kind: 'key', taken: result.taken } : { kind: result.why });
          streams.forget(stream);
          if (onlyAt !== undefined) return resolve({ kind: 'elsewhere', version: result.actual });
          resolve('again');
        },
        failed: reject,
      });
    });
  };

  return async (transaction) => {
    let hasRead = false;
    for (let next = transaction; ; next = { ...transaction, fresh: false }) {
      const outcome = await attempt(next, hasRead);
      if (outcome === 'read') hasRead = true;
      else if (outcome !== 'again') return outcome;
    }
  };
};

/** Nothing to write, and no key to claim. A lease alone is only a guard. */
const isEmpty = ({ lease: _lease, ...unit }: Unit): boolean =>
  Object.values(unit).every((part) => Array.isArray(part) && part.length === 0);
