import { freeze } from 'immer';
import type { Envelope } from '../core/envelope.ts';
import { isOrderfoldError, OrderfoldError } from '../core/errors.ts';
import type { Store } from '../core/store.ts';
import type { Codec } from './codec.ts';
import type { StreamModel } from './model.ts';

/** A stream at one version; `state` is undefined before its first event, and where nothing folds it. */
export interface Snapshot<State> {
  readonly version: number;
  readonly state: State | undefined;
}

export interface Streams<State> {
  /** What this process last knew; may be behind. */
  peek(stream: string): Snapshot<State> | undefined;
  load(stream: string): Promise<Snapshot<State>>;
  remember(stream: string, snapshot: Snapshot<State>): void;
  forget(stream: string): void;
  /** For those who only look: `data` is undefined where this code can't read it. */
  events(stream: string): Promise<readonly Envelope[]>;
}

const PAGE = 500;

/** The folded states of streams, at most `keep` of them remembered, those unused for long dropped first. */
export const createStreams = <State>(store: Store, codec: Codec, model: StreamModel<State> | undefined, keep: number): Streams<State> => {
  /** Two halves instead of one list by use, so that looking one up moves nothing: once the younger is full, it takes the older's place. */
  let young = new Map<string, Snapshot<State>>();
  let old: typeof young = new Map();

  const put = (stream: string, snapshot: Snapshot<State>): void => {
    young.set(stream, snapshot);
    if (young.size < keep / 2) return;
    old = young;
    young = new Map();
  };

  const peek = (stream: string): Snapshot<State> | undefined => {
    const recent = young.get(stream);
    if (recent !== undefined) return recent;
    const known = old.get(stream);
    if (known !== undefined) put(stream, known);
    return known;
  };

  const remember = (stream: string, snapshot: Snapshot<State>): void => {
    const { version = -1 } = young.get(stream) ?? old.get(stream) ?? {};
    if (version <= snapshot.version) put(stream, snapshot);
  };

  const eventsAfter = async (stream: string, after: number, decode: Codec['decode']): Promise<Envelope[]> => {
    const events: Envelope[] = [];
    for (let version = after; ; version = events.at(-1)?.version ?? version) {
      const page = await store.events(stream, version, PAGE);
      events.push(...page.map(decode));
      if (page.length < PAGE) return events;
    }
  };

  /** Stored events were folded once, by the code that wrote them: what this code can't fold, newer code can. */
  const folded = (events: readonly Envelope[], from: State | undefined): State | undefined => {
    try {
      return model?.fold(events, from);
    } catch (error) {
      if (!isOrderfoldError(error, 'UNDECODABLE')) throw error;
      throw new OrderfoldError('UNDECODABLE', error.message, { cause: error, retryable: true });
    }
  };

  const load = async (stream: string): Promise<Snapshot<State>> => {
    const row = await store.stream(stream);
    if (row === null) return { version: 0, state: undefined };
    if (model === undefined) return { version: row.version, state: undefined };
    const usable = row.state !== null && row.fingerprint === model.fingerprint;
    const from = usable && row.state !== null ? freeze<State>(JSON.parse(row.state), true) : undefined;
    const tail = usable && row.stateVersion === row.version ? [] : await eventsAfter(stream, usable ? row.stateVersion : 0, codec.decode);
    const state = tail.length === 0 ? from : folded(tail, from);
    return { version: tail.at(-1)?.version ?? row.version, state };
  };

  return {
    peek,
    async load(stream) {
      const snapshot = await load(stream);
      remember(stream, snapshot);
      return snapshot;
    },
    remember,
    forget(stream) {
      young.delete(stream);
      old.delete(stream);
    },
    events: (stream) => eventsAfter(stream, 0, codec.show),
  };
};
