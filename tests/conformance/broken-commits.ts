import type { Batch, BatchResult, Store, Unit } from '../../src/core/store.ts';
import { afterLoss, type BrokenStore, but, type Change, units } from './breaking.ts';

const anyVersion = (unit: Unit): Unit =>
  unit.appends === undefined ? unit : { ...unit, appends: unit.appends.map((append) => ({ ...append, expected: 'any' })) };

/** Leaves parts of a unit out. */
const without = (...names: readonly (keyof Unit)[]) =>
  units((unit) => Object.fromEntries(Object.entries(unit).filter(([name]) => !names.includes(name as keyof Unit))) as Unit);

const jsonOnly = (data: string): string => {
  try {
    return JSON.stringify(JSON.parse(data));
  } catch {
    return data;
  }
};

/** Tells who looks a batch up what it knows, and lets the batch come all the same. */
const promisesNothing = (inner: Store): Pick<Store, 'commit' | 'lookUp'> => {
  const last = new Map<string, { readonly id: string; readonly result: BatchResult }>();
  return {
    async commit(batch: Batch) {
      const result = await inner.commit(batch);
      last.set(batch.owner, { id: batch.id, result });
      return result;
    },
    async lookUp(owner, id) {
      const found = last.get(owner);
      return found?.id === id ? found.result : null;
    },
  };
};

/** Remembers only the last batch that an owner was told to be absent. */
const forgetful: Change = (inner) => {
  const refused = new Map<string, string>();
  const known = promisesNothing(inner);
  return {
    async commit(batch) {
      if (refused.get(batch.owner) === batch.id) await inner.lookUp(batch.owner, batch.id);
      return known.commit(batch);
    },
    async lookUp(owner, id) {
      const found = await known.lookUp(owner, id);
      if (found === null) refused.set(owner, id);
      return found;
    },
  };
};

/** Shows what a unit appends to one stream before what it appends to another. */
const inPieces: Change = (inner) => ({
  async commit(batch) {
    const [unit, ...others] = batch.units;
    const [first, second] = unit?.appends ?? [];
    if (first === undefined || second === undefined || first.stream === second.stream || others.length !== 1) return inner.commit(batch);
    await inner.commit({ ...batch, id: `${batch.id}, first half`, units: [{ appends: [first] }], progress: [] });
    await new Promise(setImmediate);
    return inner.commit({ ...batch, units: [{ ...unit, appends: [second] }, ...others] });
  },
});

/** Stores whose commits go wrong. */
export const BROKEN_COMMITS: readonly BrokenStore[] = [
  { does: 'lets every racer have the version', make: units(anyVersion), fails: ['S23 gives each version', 'S23 lets whole units race'] },
  {
    does: 'writes half of a unit that loses',
    make: afterLoss(({ appends = [] }) => ({ appends: appends.slice(0, 1).map((one) => ({ ...one, expected: 'any' })) })),
    fails: ['writes nothing of a unit that loses and everything of its neighbours', 'S23 lets whole units race'],
  },
  { does: 'shows half of a unit', make: but(inPieces), fails: ['shows a unit whole or not at all'] },
  {
    does: 'lets "any" lose now and then',
    make: but((inner) => {
      let appends = 0;
      return {
        commit: (batch) =>
          inner.commit({
            ...batch,
            units: batch.units.map((unit) => {
              appends += 1;
              return appends % 5 === 0 && unit.appends?.[0]?.expected === 'any'
                ? { ...unit, appends: unit.appends.map((one) => ({ ...one, expected: 99 })) }
                : unit;
            }),
          }),
      };
    }),
    fails: ['lets every append of "any" win'],
  },
  {
    does: 'marks done what a losing unit had done',
    make: afterLoss(({ lease, done = [] }) => (lease === undefined ? {} : { lease, done })),
    fails: ['marks nothing done for a unit that lost', 'R4 tells the next owner after a crash'],
  },
  { does: 'has no fence', make: without('lease'), fails: ['R12 lets an owner whose lease was taken over write nothing'] },
  {
    does: 'lets a dead delivery hold nobody',
    make: units((unit) =>
      unit.park === undefined
        ? unit
        : { ...unit, park: unit.park.map((write) => ({ ...write, record: { ...write.record, holds: false } })) },
    ),
    fails: ['R16 R17 lets only the lowest version'],
  },
  {
    does: 'hands out a millisecond early',
    make: units((unit) =>
      unit.park === undefined
        ? unit
        : { ...unit, park: unit.park.map((write) => (write.delayMs === undefined ? write : { ...write, delayMs: write.delayMs - 1 })) },
    ),
    fails: ['R6 sets due times', 'S18 hands a timer out'],
  },
  {
    does: 'fires a timer as often as it is asked',
    make: units((unit) =>
      unit.park?.[0]?.record.kind === 'timer' && unit.park[0].record.state === 'done' ? { appends: unit.appends ?? [] } : unit,
    ),
    fails: ['S18 lets the event of a timer win once', 'sets a timer anew'],
  },
  { does: 'drops timers whether the unit wins or not', make: afterLoss(({ drop = [] }) => ({ drop })), fails: ['S19 drops a timer'] },
  {
    does: 'binds no keys',
    make: without('key'),
    fails: ['S25 binds a key once', 'S25 leaves a key free', 'keeps an odd text wherever a text is kept: __proto__'],
  },
  {
    does: 'binds keys of units that lose',
    make: afterLoss(({ key }) => (key === undefined ? {} : { key })),
    fails: ['S25 leaves a key free'],
  },
  {
    does: 'lets a batch come that it called absent',
    make: but(promisesNothing),
    fails: ['never lets a batch happen that was called absent', 'gives a look-up that races'],
  },
  { does: 'remembers one absent batch', make: but(forgetful), fails: ['remembers every batch it called absent'] },
  {
    does: 'keeps payloads as parsed JSON',
    make: units((unit) =>
      unit.appends === undefined
        ? unit
        : {
            ...unit,
            appends: unit.appends.map((one) => ({ ...one, events: one.events.map((event) => ({ ...event, data: jsonOnly(event.data) })) })),
          },
    ),
    fails: ['numbers beyond 2^53', 'odd white space'],
  },
  {
    does: 'cuts payloads at 8 MB',
    make: units((unit) =>
      unit.appends === undefined
        ? unit
        : {
            ...unit,
            appends: unit.appends.map((one) => ({
              ...one,
              events: one.events.map((event) => ({ ...event, data: event.data.slice(0, 2 ** 22) })),
            })),
          },
    ),
    fails: ['a payload of 10 MB'],
  },
  {
    does: 'cuts texts off at NUL',
    make: units((unit) =>
      unit.documents === undefined
        ? unit
        : {
            ...unit,
            documents: unit.documents.map((one) =>
              typeof one.value === 'string' ? { ...one, value: one.value.split('\0')[0] ?? '' } : one,
            ),
          },
    ),
    fails: ['keeps an odd text wherever a text is kept: NUL'],
  },
  {
    does: 'keeps the first state of a unit',
    make: units((unit) =>
      unit.appends === undefined
        ? unit
        : { ...unit, appends: unit.appends.map(({ fold, ...one }, index) => (fold === undefined || index > 0 ? one : { ...one, fold })) },
    ),
    fails: ['S14 keeps the state of the append that won'],
  },
];
