import type { OrderCommand } from '../../../src/order/commands.ts';
import { decide } from '../../../src/order/decide.ts';
import type { FoldableEvent } from '../../../src/order/evolve.ts';
import { fold } from '../../../src/order/fold.ts';
import { type Order, type StepState, stepOf } from '../../../src/order/order.ts';
import type { Plan, UndoKind } from '../../../src/order/plan.ts';
import type { Rejection } from '../../../src/order/rejection.ts';

/** `plan({ payment: 'undo', notification: ['irreversible', 'payment'] })`: how each step is undone, and what it runs after. */
export const plan = (steps: Readonly<Record<string, UndoKind | readonly [UndoKind, ...string[]]>>, deadlineMs?: number): Plan => ({
  steps: Object.entries(steps).map(([name, how]) => {
    const [undo, ...after] = typeof how === 'string' ? ([how] as const) : how;
    return { name, after, undo };
  }),
  ...(deadlineMs === undefined ? {} : { deadlineMs }),
});

/** One order told by commands, with the request ids filled in. */
export interface Story {
  /** Does it and returns what it wrote: type and, where it has one, step or flag. */
  tell(command: OrderCommand): readonly string[] | Rejection;
  succeed(step: string, result?: unknown): readonly string[] | Rejection;
  refuse(step: string, reason?: string): readonly string[] | Rejection;
  die(step: string, direction?: 'do' | 'undo'): readonly string[] | Rejection;
  undone(step: string, settled?: { readonly result?: unknown }): readonly string[] | Rejection;
  redrive(id: string): readonly string[] | Rejection;
  discard(id: string): readonly string[] | Rejection;
  order(): Order;
  step(name: string): StepState;
  events(): readonly FoldableEvent[];
}

export const place = (plan: Plan, details: unknown = { totalMinor: 100 }): OrderCommand => ({ type: 'Place', orderId: 'o', details, plan });

/** A story whose order is placed already. */
export const story = (of: Plan): Story => {
  const events: FoldableEvent[] = [];
  let order: Order | undefined;
  const tell: Story['tell'] = (command) => {
    const decided = decide(command, order);
    if (decided._tag === 'Left') return decided.left;
    const fresh = decided.right.map((event, at) => ({
      ...event,
      stream: 'o',
      version: events.length + at + 1,
      time: '2026-01-01T00:00:00.000Z',
    }));
    events.push(...fresh);
    order = fold(fresh, order);
    return fresh.map(({ type, data }) => {
      const { step, settle } = data as { readonly step?: string; readonly settle?: boolean };
      const own = step !== undefined && !type.toLowerCase().startsWith(step.toLowerCase());
      return `${type}${own ? ` ${step}` : ''}${settle ? ' settle' : ''}`;
    });
  };
  const at = (name: string) => stepOf(order as Order, name);
  const request = (name: string) => at(name).undo?.request ?? at(name).request ?? 'none';
  tell(place(of));
  return {
    tell,
    succeed: (step, result = { id: step }) => tell({ type: 'RecordSucceeded', step, request: at(step).request ?? 'none', result }),
    refuse: (step, reason = 'no') => tell({ type: 'RecordRefused', step, request: request(step), reason }),
    die: (step, direction = 'do') => tell({ type: 'RecordDead', step, direction, deadLetterId: `${step}!`, cause: 'TIMEOUT', attempts: 6 }),
    undone: (step, settled) => tell({ type: 'RecordUndone', step, request: request(step), ...(settled ? { settled } : {}) }),
    redrive: (deadLetterId) => tell({ type: 'Redrive', deadLetterId, by: 'ops', reason: 'it is back' }),
    discard: (deadLetterId) => tell({ type: 'Discard', deadLetterId, by: 'ops', reason: 'give up' }),
    order: () => order as Order,
    step: at,
    events: () => events,
  };
};
