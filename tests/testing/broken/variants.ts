import type { Patch } from './patched.ts';

/** An engine or a store with one thing wrong. */
export interface Variant {
  readonly title: string;
  /** What it can be told by. */
  readonly breaks: readonly string[];
  readonly patches: readonly Patch[];
}

const patch = (file: string, find: string, replace: string): Patch => ({ file, find, replace });

export const VARIANTS: readonly Variant[] = [
  {
    title: 'a failed delivery is parked after it was acked',
    breaks: ['S10', 'S17', 'R1'],
    patches: [
      patch(
        'runtime/endings.ts',
        'const { kind } = await transact<unknown>({ stream, lease: holding.lease, persistent: true, park, ...done, ...rest });',
        `const acksFirst = park.length > 0 && done.done !== undefined;
         if (acksFirst) await transact<unknown>({ stream: '', lease: holding.lease, persistent: true, ...done });
         const { kind } = await transact<unknown>({ stream, lease: holding.lease, persistent: true, park, ...(acksFirst ? {} : done), ...rest });`,
      ),
    ],
  },
  {
    title: 'a unit of a lease that is over is taken',
    breaks: ['R12'],
    patches: [patch('stores/memory/memory-store.ts', 'if (unit.lease !== undefined && leases.current(unit.lease) === null)', 'if (false)')],
  },
  {
    title: 'a delivery is acked when its handler starts',
    breaks: ['R1', 'S10', 'S17'],
    patches: [
      patch(
        'runtime/runner.ts',
        'holding.feed.rate?.started();',
        'holding.feed.rate?.started(); if (record === null) { addDone(holding, event.position); progressed(); }',
      ),
    ],
  },
  {
    title: 'an attempt is counted only where an error is caught',
    breaks: ['R4'],
    patches: [
      patch(
        'runtime/suspects.ts',
        'if (detailOf(record).trial !== true || retry === undefined) {',
        'if (detailOf(record).trial !== true || retry !== undefined) {',
      ),
    ],
  },
  {
    title: 'attempts begin anew when a worker is started again',
    breaks: ['R9', 'R3'],
    patches: [patch('runtime/suspects.ts', 'lostStarts: record.lostStarts + 1 }', 'lostStarts: record.lostStarts + 1, attempts: 0 }')],
  },
  {
    title: 'the effect key changes with a redrive',
    breaks: ['S1'],
    patches: [
      patch(
        'runtime/steps.ts',
        '...stepInput(order, name, direction),',
        "...stepInput(order, name, direction), ...(generation > 0 && { effectKey: order.orderId + ':' + name + direction + generation }),",
      ),
    ],
  },
  {
    title: 'what comes after a parked delivery does not wait for it',
    breaks: ['R16', 'R17'],
    patches: [
      patch(
        'runtime/runner.ts',
        '(holding.parked > 0 && ((await isHeld(holding, stream, version)) || isPaused(holding, stream)))',
        'false',
      ),
    ],
  },
  {
    title: 'what was held is let go in the wrong order',
    breaks: ['R16', 'R17'],
    patches: [
      patch(
        'stores/memory/parked.ts',
        'if (other.version < version && isInTheWay(other)) return true;',
        'if (other.version > version && isInTheWay(other)) return true;',
      ),
    ],
  },
  {
    title: 'what is in the way is looked for when a delivery is read',
    breaks: ['R16', 'R17'],
    patches: [
      patch(
        'runtime/intake.ts',
        'lanes.add(holding, event.stream, { event, parked: null, version: event.version });',
        'lanes.add(holding, event.stream, { event, parked: null, version: event.version, looked: holding.parked > 0 } as never);',
      ),
      patch(
        'runtime/runner.ts',
        'const went = mayBeHeld(holding) ? runFresh(turn, event) : begin(turn, event);',
        'const went = (inHand as { looked?: boolean }).looked ? runFresh(turn, event) : begin(turn, event);',
      ),
    ],
  },
  {
    title: 'an undo is known only once its step has succeeded',
    breaks: ['S2', 'S4'],
    patches: [patch('order/follow-ups.ts', "order.plan.steps.find(({ name }) => name === step)?.undo === 'undo'", 'Number.isNaN(0)')],
  },
  {
    title: 'an undo that was running when its process died is taken as done',
    breaks: ['S10', 'S17'],
    patches: [
      patch(
        'runtime/suspects.ts',
        'done.push(event.position);',
        "done.push(event.position); if (event.type.endsWith('UndoRequested')) continue;",
      ),
    ],
  },
  {
    title: 'a timer is ended after what it led to was written',
    breaks: ['S18'],
    patches: [
      patch(
        'runtime/timers.ts',
        'const fired = await settle(place, started, over,',
        `await settle(place, { ...started, parked: { ...timer } }, null, { decide });
         const fired = await settle(place, started, over,`,
      ),
    ],
  },
  {
    title: 'a checkpoint moves ahead over a hole',
    breaks: ['S17', 'R1'],
    patches: [patch('core/checkpoint.ts', 'if (from <= low + 1) {', 'if (from <= low + 3) {')],
  },
  {
    title: 'the done mark of a unit that lost is kept',
    breaks: ['S17', 'R1', 'S10'],
    patches: [
      patch(
        'stores/memory/memory-store.ts',
        'const units = batch.units.map((unit) => guard(unit) ?? write(unit));',
        `const units = batch.units.map((unit) => {
           const lost = guard(unit);
           if (lost !== null && unit.lease !== undefined && lost.why !== 'lease') write({ lease: unit.lease, done: unit.done ?? [] });
           return lost ?? write(unit);
         });`,
      ),
    ],
  },
  {
    title: 'an outcome that comes twice is applied twice',
    breaks: ['S12'],
    patches: [
      patch('order/outcomes.ts', 'if (!awaited && !repairs && !settles) return none;', ''),
      patch(
        'runtime/committer.ts',
        "notifier.emit('storeBack', {});\n          return found;",
        "notifier.emit('storeBack', {});\n          return null;",
      ),
    ],
  },
  {
    title: 'a version conflict counts as a success',
    breaks: ['S17', 'S10'],
    patches: [
      patch(
        'runtime/transact.ts',
        "if (onlyAt !== undefined) return resolve({ kind: 'elsewhere', version: result.actual });\n          resolve('again');",
        "resolve({ kind: 'won', snapshot: after, events: [] });",
      ),
    ],
  },
  {
    title: 'a redrive that is asked for twice runs twice',
    breaks: ['R10', 'R19', 'R2', 'R16'],
    patches: [
      patch(
        'stores/memory/memory-store.ts',
        "if ((parked.get(record.id)?.revision ?? 'absent') !== expect)",
        "if (unit.lease !== undefined && (parked.get(record.id)?.revision ?? 'absent') !== expect)",
      ),
    ],
  },
  {
    title: 'a lost reply of a service counts as a refusal',
    breaks: ['S2', 'S4'],
    patches: [
      patch(
        'runtime/steps.ts',
        'const found = quietMs === null ? asFound(await calling(step.do, input), order)',
        `const took = async () => {
           try { return await calling(step.do, input); } catch (error) {
             if ((error as { code?: string }).code === 'ECONNRESET' && !step.neverRefuses) return { 'orderfold.refused': true, reason: 'no reply' };
             throw error;
           }
         };
         const found = quietMs === null ? asFound(await took(), order)`,
      ),
    ],
  },
  {
    title: 'now and then a delivery is acked and never handed to its handler',
    breaks: ['R1'],
    patches: [
      patch(
        'runtime/runner.ts',
        'const sinceMs = record === null ?',
        "if (record === null && name === 'books' && event.version % 3 === 0) { addDone(holding, event.position); progressed(); return Promise.resolve('over'); } const sinceMs = record === null ?",
      ),
    ],
  },
  {
    title: 'a handler starts before its start mark is durable',
    breaks: ['R4', 'R10', 'S4', 'S7'],
    patches: [patch('runtime/suspects.ts', '!isSure && after < lease.startMark;', 'false;')],
  },
  {
    title: 'what a broker brings is taken whether it comes next or not',
    breaks: ['R1', 'R16', 'S10', 'S17'],
    patches: [patch('runtime/log-reader.ts', 'event.position === at + 1 && room > 0', '(at = event.position - 1) >= 0')],
  },
  {
    title: 'what a broker brought before is taken again',
    breaks: ['R10', 'R1', 'R16', 'S12'],
    patches: [
      patch('runtime/reception.ts', '|| event.position <= holding.cursor)', ')'),
      patch(
        'runtime/log-reader.ts',
        'event.position === at + 1 && room > 0',
        '(event.position === at + 1 || event.position === at) && room > 0',
      ),
    ],
  },
  {
    title: 'what a broker lost is never read from the log',
    breaks: ['R1', 'S10', 'S17'],
    patches: [
      patch('runtime/log-reader.ts', 'if (missing === 0) return;', 'return;'),
      patch('runtime/log-reader.ts', 'if (holding.feed === feed) holding.fillTo = null;', 'void feed;'),
      patch('runtime/reception.ts', '      sweep();\n', ''),
    ],
  },
  {
    title: 'the relay counts as published what the broker did not take',
    breaks: ['S17', 'R16'],
    patches: [patch('runtime/relay.ts', 'link.lost(error);\n      throw error;', 'link.lost(error);\n      return [];')],
  },
];
