import fc from 'fast-check';
import type { OrderCommand, Outcome } from '../../../src/order/commands.ts';
import { decide } from '../../../src/order/decide.ts';
import type { FoldableEvent } from '../../../src/order/evolve.ts';
import { fold } from '../../../src/order/fold.ts';
import type { Direction } from '../../../src/order/names.ts';
import { type Order, stepOf } from '../../../src/order/order.ts';
import { mustNotRefuse, type Plan, type UndoKind } from '../../../src/order/plan.ts';
import type { Rejection } from '../../../src/order/rejection.ts';

const NAMES = ['payment', 'inventory', 'shipping', 'loyalty', 'notification'] as const;
const UNDO: readonly UndoKind[] = ['undo', 'undo', 'undo', 'nothing', 'irreversible'];

/** Any plan of 1 to 5 steps: every `after` is a subset of the earlier steps, and about every second one has a point of no return. */
export const plans = (): fc.Arbitrary<Plan> =>
  fc.array(fc.record({ after: fc.nat(31), undo: fc.constantFrom(...UNDO) }), { minLength: 1, maxLength: 5 }).map((steps) => ({
    steps: steps.map(({ after, undo }, at) => ({
      name: NAMES[at] as string,
      after: NAMES.slice(0, at).filter((_, bit) => (after >> bit) & 1),
      undo,
    })),
  }));

/**
 * One thing that happens. `pick` chooses among what there is to choose from at that moment, so every list of moves makes sense
 * for every plan; a move with nothing to choose from is passed over.
 */
export type Move =
  | { readonly move: 'succeed' | 'refuse' | 'skip' | 'late'; readonly pick: number }
  /** Attempts used up. `happened`: the call had its effect, only the reply was lost. */
  | { readonly move: 'die'; readonly pick: number; readonly happened: boolean }
  | { readonly move: 'redrive' | 'discard' | 'repeat'; readonly pick: number }
  | { readonly move: 'cancel' | 'deadline' };

export const moves = (): fc.Arbitrary<readonly Move[]> => {
  const pick = fc.nat(11);
  return fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.record({ move: fc.constant('succeed' as const), pick }) },
      { weight: 2, arbitrary: fc.record({ move: fc.constantFrom('refuse' as const, 'skip' as const, 'late' as const), pick }) },
      { weight: 3, arbitrary: fc.record({ move: fc.constant('die' as const), pick, happened: fc.boolean() }) },
      { weight: 3, arbitrary: fc.record({ move: fc.constantFrom('redrive' as const, 'discard' as const, 'repeat' as const), pick }) },
      { weight: 1, arbitrary: fc.record({ move: fc.constantFrom('cancel' as const, 'deadline' as const) }) },
    ),
    { maxLength: 30, size: 'max' },
  );
};

/** How the rest is played once the moves are used up: open dead letters are redriven or discarded, requests succeed or, where they may, are refused. */
export interface Ending {
  readonly letters: 'redrive' | 'discard';
  readonly answers: 'succeed' | 'refuse';
}

export interface Schedule {
  readonly plan: Plan;
  readonly moves: readonly Move[];
  readonly ending: Ending;
}

export const schedules = (): fc.Arbitrary<Schedule> =>
  fc.record({
    plan: plans(),
    moves: moves(),
    ending: fc.record({ letters: fc.constantFrom('redrive', 'discard'), answers: fc.constantFrom('succeed', 'refuse') }),
  });

/** What really happened outside, by step: each effect at most once, because it goes by its key. */
export interface Outside {
  readonly happened: ReadonlySet<string>;
  readonly undone: ReadonlySet<string>;
}

/** One command and what it wrote. */
export interface Written {
  readonly command: OrderCommand;
  readonly before: Order | undefined;
  readonly events: readonly FoldableEvent[];
  readonly after: Order | undefined;
  readonly rejection?: Rejection;
  readonly outside: Outside;
}

export interface History {
  readonly plan: Plan;
  readonly units: readonly Written[];
  readonly events: readonly FoldableEvent[];
  readonly order: Order;
  readonly outside: Outside;
}

interface Open {
  readonly step: string;
  readonly direction: Direction;
  readonly request: string;
  readonly settle: boolean;
}

/** Requests that wait for an answer. */
export const openRequests = (order: Order): readonly Open[] =>
  order.plan.steps.flatMap(({ name: step }): readonly Open[] => {
    const { status, request, undo } = stepOf(order, step);
    if (status === 'requested') return [{ step, direction: 'do', request: request as string, settle: false }];
    return status === 'undoing' && undo ? [{ step, direction: 'undo', request: undo.request, settle: undo.settle }] : [];
  });

/** Ids of the open dead letters. */
export const openLetters = (order: Order): readonly string[] =>
  order.plan.steps.flatMap(({ name }) => stepOf(order, name).dead?.id ?? []);

export const ORDER_ID = 'o-1';
const OPERATOR = { by: 'ops', reason: 'the gateway is back' };

/** Plays a schedule over `decide` and a small model of the outside world, up to the quiet end. */
export const play = ({ plan, moves, ending }: Schedule): History => {
  const units: Written[] = [];
  const events: FoldableEvent[] = [];
  let happened: ReadonlySet<string> = new Set();
  let undone: ReadonlySet<string> = new Set();
  let order: Order | undefined;
  const mayNotRefuse = new Set(mustNotRefuse(plan.steps).map(({ step }) => step));

  const tell = (command: OrderCommand): void => {
    const before = order;
    const decided = decide(command, before);
    const fresh = (decided._tag === 'Right' ? decided.right : []).map((event, at) => ({
      ...event,
      stream: ORDER_ID,
      version: events.length + at + 1,
      time: new Date(Date.UTC(2026, 0, 1) + units.length * 1_000).toISOString(),
    }));
    events.push(...fresh);
    order = fold(fresh, before);
    const rejection = decided._tag === 'Left' ? { rejection: decided.left } : {};
    units.push({ command, before, events: fresh, after: order, outside: { happened, undone }, ...rejection });
  };

  const does = (step: string) => {
    happened = new Set([...happened, step]);
  };
  const undoes = (step: string) => {
    if (happened.has(step)) undone = new Set([...undone, step]);
  };

  const answerDo = ({ step, request }: Open, wish: 'succeed' | 'refuse' | 'skip', phase: Order['phase']): Outcome => {
    if (wish === 'refuse' && !happened.has(step) && !mayNotRefuse.has(step)) return { type: 'RecordRefused', step, request, reason: 'no' };
    if (wish === 'skip' && !happened.has(step) && phase === 'cancelling') return { type: 'RecordSkipped', step, request };
    does(step);
    return { type: 'RecordSucceeded', step, request, result: { id: step } };
  };
  const answerUndo = ({ step, request, settle }: Open, wish: 'succeed' | 'refuse' | 'skip'): Outcome => {
    if (settle && wish === 'refuse' && !happened.has(step)) return { type: 'RecordRefused', step, request, reason: 'no' };
    if (settle && wish === 'skip' && !happened.has(step)) return { type: 'RecordSkipped', step, request };
    if (settle) does(step);
    undoes(step);
    return { type: 'RecordUndone', step, request, ...(settle ? { settled: { result: { id: step } } } : {}) };
  };
  const answer = (open: Open, wish: 'succeed' | 'refuse' | 'skip') =>
    tell(open.direction === 'do' ? answerDo(open, wish, (order as Order).phase) : answerUndo(open, wish));

  const letter = (id: string, move: 'redrive' | 'discard') => {
    const found = plan.steps.find(({ name }) => stepOf(order as Order, name).dead?.id === id)?.name as string;
    // Who gives an undo up states that it was done by hand, and has done so.
    if (move === 'discard' && stepOf(order as Order, found).dead?.direction === 'undo') undoes(found);
    tell({ type: move === 'redrive' ? 'Redrive' : 'Discard', deadLetterId: id, ...OPERATOR });
  };

  const make = (move: Move): void => {
    const current = order as Order;
    const choose = <T>(from: readonly T[], pick: number): T | undefined => from[pick % Math.max(1, from.length)];
    switch (move.move) {
      case 'cancel':
        return tell({ type: 'Cancel', reason: 'changed my mind' });
      case 'deadline':
        return tell({ type: 'PassDeadline' });
      case 'redrive':
      case 'discard': {
        const id = choose(openLetters(current), move.pick);
        return id === undefined ? undefined : letter(id, move.move);
      }
      case 'repeat': {
        const said = units.map(({ command }) => command).filter(({ type }) => /^Record(Succeeded|Refused|Undone|Skipped)$/.test(type));
        const command = choose(said, move.pick);
        return command === undefined ? undefined : tell(command);
      }
      case 'late': {
        // A service that said no, or was never asked it seemed, reports that it did it after all.
        const names = plan.steps.map(({ name }) => name).filter((name) => /refused|skipped/.test(stepOf(current, name).status));
        const step = choose(names, move.pick);
        if (step === undefined || current.phase === 'placed') return;
        does(step);
        return tell({ type: 'RecordSucceeded', step, request: stepOf(current, step).request as string, result: { id: step } });
      }
      case 'die': {
        const open = choose(openRequests(current), move.pick);
        if (open === undefined) return;
        const { step, direction, request } = open;
        if (move.happened && direction === 'do') does(step);
        if (move.happened && direction === 'undo') undoes(step);
        return tell({ type: 'RecordDead', step, direction, deadLetterId: `${step}:${request}`, cause: 'TIMEOUT', attempts: 6 });
      }
      default: {
        const open = choose(openRequests(current), move.pick);
        if (open !== undefined) answer(open, move.move);
      }
    }
  };

  tell({ type: 'Place', orderId: ORDER_ID, details: { totalMinor: 100 }, plan });
  for (const move of moves) make(move);
  for (let rounds = 0; rounds < 100; rounds += 1) {
    const [id] = openLetters(order as unknown as Order);
    const [open] = openRequests(order as unknown as Order);
    if (id !== undefined) letter(id, ending.letters);
    else if (open !== undefined) answer(open, ending.answers);
    else break;
  }
  return { plan, units, events, order: order as unknown as Order, outside: { happened, undone } };
};

/** Histories that came to their quiet end; shrinks to the schedule that made them. */
export const histories = (): fc.Arbitrary<History> => schedules().map(play);
