import type { ViewDraft } from '../../src/runtime/view-draft.ts';

export type Numbers = { readonly Numbered: { readonly n: number } };

/** What a view knows of one stream: how many events it has seen, and the sum of their numbers. */
export interface Counted {
  readonly events: number;
  readonly sum: number;
  /** Of the last one: each has to be the next. */
  readonly version: number;
}

export const VIEWS = ['first', 'second', 'third'] as const;

interface Numbered {
  readonly stream: string;
  readonly version: number;
  readonly data: { readonly n: number };
}

/** How each of the views is kept. */
export const counted = {
  types: ['Numbered'],
  async handle(events: readonly Numbered[], view: Pick<ViewDraft<Counted>, 'get' | 'set'>): Promise<void> {
    const rows = await Promise.all(events.map(({ stream }) => view.get(stream)));
    const now = new Map<string, Counted>();
    for (const [index, { stream, version, data }] of events.entries()) {
      const before = now.get(stream) ?? rows[index] ?? { events: 0, sum: 0, version: 0 };
      if (version !== before.version + 1) throw new Error(`${stream} is at ${before.version}, and ${version} comes next`);
      now.set(stream, { events: before.events + 1, sum: before.sum + data.n, version });
    }
    for (const [stream, row] of now) view.set(stream, row);
  },
} as const;
