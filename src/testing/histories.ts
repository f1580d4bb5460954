import { isoTime } from '../core/envelope.ts';
import type { OrderCommand, Outcome } from '../order/commands.ts';
import { decide } from '../order/decide.ts';
import type { FoldableEvent } from '../order/evolve.ts';
import { fold } from '../order/fold.ts';
import type { Direction } from '../order/names.ts';
import { type Order, stepOf } from '../order/order.ts';
import { mustNotRefuse, type Plan } from '../order/plan.ts';
import type { Rejection } from '../order/rejection.ts';
import type { Move, Schedule } from './schedules.ts';

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

/** An order from its placing to its quiet end. */
export interface History {
  readonly plan: Plan;
  readonly units: readonly Written[];
  readonly events: readonly FoldableEvent[];
  readonly order: Order;
  readonly outside: Outside;
}

/** A request that waits for an answer. */
export interface OpenRequest {
  readonly step: string;
  readonly direction: Direction;
  /** Id of the event that asks for it. */
  readonly request: string;
  /** Find out first whether the step happened at all. */
  readonly settle: boolean;
}

/** All requests nobody has answered yet, dead ones aside. A delivery whose event is not among them has nothing left to do. */
export const openRequests = (order: Order): readonly OpenRequest[] =>
  order.plan.steps.flatMap(({ name: step }): readonly OpenRequest[] => {
    const { status, request, undo } = stepOf(order, step);
    if (status === 'requested' && request !== undefined) return [{ step, direction: 'do', request, settle: false }];
    return status === 'undoing' && undo !== undefined ? [{ step, direction: 'undo', ...undo }] : [];
  });

/** Ids of the open dead letters. */
export const openLetters = (order: Order): readonly string[] => order.plan.steps.flatMap(({ name }) => stepOf(order, name).dead?.id ?? []);

/** The order of every history. */
export const ORDER_ID = 'o-1';
/** Answers to requests; they may be repeated at any time. */
export const isOutcome = ({ type }: OrderCommand): boolean => /^Record(Succeeded|Refused|Undone|Skipped)$/.test(type);

const choose = <T>(from: readonly T[], pick: number): T | undefined => from[pick % Math.max(1, from.length)];

const PLACED_AT = Date.UTC(2026, 0, 1);
const OPERATOR = { by: 'ops', reason: 'the gateway is back' };

/** Plays a schedule over `decide` and a small model of the outside world, up to the quiet end. */
export const play = ({ plan, moves, ending }: Schedule): History => {
  const units: Written[] = [];
  const events: FoldableEvent[] = [];
  let happened: ReadonlySet<string> = new Set();
  let undone: ReadonlySet<string> = new Set();
  let order: Order | undefined;
  let time = PLACED_AT;
  const now = () => order as Order;
  const mayNotRefuse = new Set(mustNotRefuse(plan.steps).map(({ step }) => step));

  const tell = (command: OrderCommand): void => {
    const before = order;
    const decided = decide(command, before);
    const fresh = (decided._tag === 'Right' ? decided.right : []).map((event, at) => ({
      ...event,
      stream: ORDER_ID,
      version: events.length + at + 1,
      time: isoTime(time),
    }));
    time += 1_000;
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

  type Wish = 'succeed' | 'refuse' | 'skip';
  const answerDo = ({ step, request }: OpenRequest, wish: Wish): Outcome => {
    const free = !happened.has(step);
    if (wish === 'refuse' && free && !mayNotRefuse.has(step)) return { type: 'RecordRefused', step, request, reason: 'no' };
    if (wish === 'skip' && free && now().phase === 'cancelling') return { type: 'RecordSkipped', step, request };
    does(step);
    return { type: 'RecordSucceeded', step, request, result: { id: step } };
  };
  const answerUndo = ({ step, request, settle }: OpenRequest, wish: Wish): Outcome => {
    if (settle && wish === 'refuse' && !happened.has(step)) return { type: 'RecordRefused', step, request, reason: 'no' };
    if (settle && wish === 'skip' && !happened.has(step)) return { type: 'RecordSkipped', step, request };
    if (settle) does(step);
    undoes(step);
    return { type: 'RecordUndone', step, request, ...(settle ? { settled: { result: { id: step } } } : {}) };
  };
  const answer = (open: OpenRequest, wish: Wish) => (open.direction === 'do' ? answerDo(open, wish) : answerUndo(open, wish));

  const letter = (deadLetterId: string, move: 'redrive' | 'discard'): OrderCommand => {
    const step = plan.steps.find(({ name }) => stepOf(now(), name).dead?.id === deadLetterId)?.name as string;
    // Who gives an undo up states that it was done by hand, and has done so.
    if (move === 'discard' && stepOf(now(), step).dead?.direction === 'undo') undoes(step);
    return { type: move === 'redrive' ? 'Redrive' : 'Discard', deadLetterId, ...OPERATOR };
  };

  const die = ({ step, direction, request }: OpenRequest, wasDone: boolean): OrderCommand => {
    if (wasDone && direction === 'do') does(step);
    if (wasDone && direction === 'undo') undoes(step);
    return { type: 'RecordDead', step, direction, deadLetterId: `${step}:${request}`, cause: 'TIMEOUT', attempts: 6 };
  };

  /** A service that said no, or was never asked it seemed, reports that it did it after all. */
  const late = (pick: number): OrderCommand | undefined => {
    const names = plan.steps.map(({ name }) => name).filter((name) => /refused|skipped/.test(stepOf(now(), name).status));
    const step = choose(names, pick);
    if (step === undefined) return undefined;
    does(step);
    return { type: 'RecordSucceeded', step, request: stepOf(now(), step).request as string, result: { id: step } };
  };

  const commandFor = (move: Move): OrderCommand | undefined => {
    if (move.move === 'cancel') return { type: 'Cancel', reason: 'changed my mind' };
    if (move.move === 'deadline') {
      if (plan.deadlineMs === undefined) return undefined;
      time = Math.max(time, PLACED_AT + plan.deadlineMs);
      return { type: 'PassDeadline' };
    }
    if (move.move === 'repeat') return choose(units.map(({ command }) => command).filter(isOutcome), move.pick);
    if (move.move === 'late') return late(move.pick);
    if (move.move === 'redrive' || move.move === 'discard') {
      const id = choose(openLetters(now()), move.pick);
      return id === undefined ? undefined : letter(id, move.move);
    }
    const open = choose(openRequests(now()), move.pick);
    if (open === undefined) return undefined;
    return move.move === 'die' ? die(open, move.happened) : answer(open, move.move);
  };

  tell({ type: 'Place', orderId: ORDER_ID, details: { totalMinor: 100 }, plan });
  for (const move of moves) {
    const command = commandFor(move);
    if (command !== undefined) tell(command);
  }
  // An order has at most five steps, each answered and buried at most a few times.
  for (let rounds = 0; rounds < 100; rounds += 1) {
    const [id] = openLetters(now());
    const [open] = openRequests(now());
    if (id !== undefined) tell(letter(id, ending.letters));
    else if (open !== undefined) tell(answer(open, ending.answers));
    else break;
  }
  return { plan, units, events, order: now(), outside: { happened, undone } };
};
