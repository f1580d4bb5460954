import mitt from 'mitt';
import type { Envelope } from '../core/envelope.ts';
import type { ErrorFacts } from '../core/error-facts.ts';
import type { PauseWrite } from '../core/records.ts';

/** Which delivery a notification speaks of. */
export interface DeliveryFacts {
  /** Of the parked delivery or dead letter: `<subscription>:<event id>`. */
  readonly id: string;
  readonly subscription: string;
  readonly stream: string;
  readonly type: string;
  readonly attempt: number;
  readonly generation: number;
}

/** What an operator did with which dead letter. */
export interface LetterFacts extends Pick<DeliveryFacts, 'id' | 'subscription' | 'stream'> {
  readonly by: string;
  readonly reason: string;
}

/** Facts worth watching, sent after they became durable. */
export interface Notifications {
  /** Events this process appended. */
  readonly appended: { readonly stream: string; readonly events: readonly Envelope[] };
  /** A handler returned and its unit is on its way to the store. */
  readonly handled: DeliveryFacts & { readonly durationMs: number };
  /** An attempt failed; the next one is due in `delayMs`. */
  readonly retry: DeliveryFacts & { readonly delayMs: number; readonly rule: string; readonly error: ErrorFacts };
  readonly dead: DeliveryFacts & { readonly rule: string; readonly error: ErrorFacts };
  /** An earlier version of its stream is parked; it waits behind it. */
  readonly held: DeliveryFacts;
  /** A start whose process was gone before it told the outcome. */
  readonly lostStart: DeliveryFacts & { readonly lostStarts: number };
  /** Something scheduled was due, and its stream would not have it: it is over, and nothing else was written. */
  readonly refused: { readonly id: string; readonly stream: string; readonly type: string; readonly refusal: unknown };
  readonly redriven: LetterFacts;
  /** Redriven with another payload. */
  readonly edited: LetterFacts;
  readonly discarded: LetterFacts;
  /** An operator has it wait, or go on again. */
  readonly paused: PauseWrite;
  readonly resumed: PauseWrite;
  /** A subscription's open dead letters have reached `deadLetters.alarmAt`; told by every worker, and again only after they were fewer. */
  readonly deadLetterAlarm: { readonly subscription: string; readonly dead: number; readonly alarmAt: number };
  /** A view was emptied and begins again. */
  readonly rebuilt: { readonly subscription: string; readonly by: string; readonly reason: string };
  readonly leaseGained: { readonly subscription: string; readonly shard: number; readonly epoch: number; readonly clean: boolean };
  readonly leaseLost: { readonly subscription: string; readonly shard: number; readonly epoch: number };
  /** Its handlers kept failing: nothing of the subscription starts here for `pauseMs`, then one probes. */
  readonly breakerOpened: { readonly subscription: string; readonly pauseMs: number; readonly error: ErrorFacts };
  readonly breakerClosed: { readonly subscription: string };
  /** The store did not answer; work waits and goes on by itself. */
  readonly storeAway: { readonly error: ErrorFacts };
  readonly storeBack: Record<string, never>;
  /** The transport failed: events wait to be published, and come from the log meanwhile. */
  readonly transportAway: { readonly error: ErrorFacts };
  readonly transportBack: Record<string, never>;
  /** Something threw that nobody awaits: a listener, or the engine itself. Never silent: without a listener it goes to the console. */
  readonly trouble: { readonly where: string; readonly error: unknown };
}

export type Listen = <Name extends keyof Notifications>(name: Name, listener: (fact: Notifications[Name]) => unknown) => () => void;

export interface Notifier {
  readonly on: Listen;
  emit<Name extends keyof Notifications>(name: Name, fact: Notifications[Name]): void;
  has(name: keyof Notifications): boolean;
}

/** mitt's default export is the function in ESM and a namespace around it under some CommonJS interops. */
const emitterOf = ((mitt as unknown as { readonly default?: typeof mitt.default }).default ?? mitt) as typeof mitt.default;

/** One throwing listener neither silences the others nor reaches the engine; a rejected promise of an async one is caught as well. */
export const createNotifier = (report: (where: string, error: unknown) => void): Notifier => {
  const emitter = emitterOf<{ [Name in keyof Notifications]: Notifications[Name] }>();
  const failed = (name: keyof Notifications, error: unknown): void => {
    if (name === 'trouble' || !has('trouble')) report(`listener of '${name}'`, error);
    else emit('trouble', { where: `listener of '${name}'`, error });
  };
  const has = (name: keyof Notifications): boolean => (emitter.all.get(name)?.length ?? 0) > 0;
  const emit: Notifier['emit'] = (name, fact) => {
    if (name === 'trouble' && !has('trouble')) {
      const { where, error } = fact as Notifications['trouble'];
      report(where, error);
    } else emitter.emit(name, fact);
  };
  const on: Listen = (name, listener) => {
    const guarded = (fact: Notifications[typeof name]): void => {
      try {
        const answer = listener(fact);
        if (answer instanceof Promise) answer.catch((error: unknown) => failed(name, error));
      } catch (error) {
        failed(name, error);
      }
    };
    emitter.on(name, guarded);
    return () => emitter.off(name, guarded);
  };
  return { on, emit, has };
};
