import { appendFileSync } from 'node:fs';

/** Where a process can be made to kill itself: between which two of its calls to the outside. */
export const MOMENTS = [
  'amid a call',
  'between effect and commit',
  'before a commit',
  'after a commit',
  'before parking',
  'after parking',
] as const;
export type Moment = (typeof MOMENTS)[number];

/** What a process can be told to suffer, by a message from its parent. `forMs` from then on, or of the next call. */
export type Harm =
  /** SIGKILL by its own hand, at the moment that comes after it has let so many of the kind pass. */
  | { readonly kind: 'kill'; readonly at: Moment; readonly after: number }
  /** Whatever it was waiting for, it is not any more; it says `spared`. */
  | { readonly kind: 'spare' }
  /** The next handler with a reply in its hands blocks the event loop, or just does not go on and hears no signal. */
  | { readonly kind: 'block' | 'hang'; readonly forMs: number }
  /** Its connections can get no further page, or write nothing at all. */
  | { readonly kind: 'disk full' | 'read-only'; readonly forMs: number }
  /** Its wall clock is so much ahead from now on; negative: behind. */
  | { readonly kind: 'clock'; readonly aheadMs: number };

export interface HarmMessage {
  readonly harm: Harm;
}

/** Takes down that it has really happened, in a file that outlives this process; see `harmDone`. */
export const happened = (what: string): void => {
  const marks = process.env.HARM_MARKS;
  if (marks !== undefined) appendFileSync(marks, `${what}\n`);
};
