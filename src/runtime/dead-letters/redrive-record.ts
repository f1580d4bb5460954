import type { StoredDocument } from '../../core/records.ts';
import type { Store } from '../../core/store.ts';
import type { System } from '../../core/system.ts';
import type { Transact } from '../transact.ts';
import { iso } from './letter.ts';
import type { Operation } from './redrive-operation.ts';

/** Where the operations lie, one document each. */
export const REDRIVES = '$redrives';

/** An operation as it lies in the store; every change is guarded by its revision. */
export interface Kept {
  readonly operation: Operation;
  readonly revision: number;
}

export const keptOf = ({ value, revision }: StoredDocument): Kept => ({ operation: JSON.parse(value) as Operation, revision });

export const load = async (store: Pick<Store, 'documents'>, id: string): Promise<Kept | null> => {
  const [found = null] = await store.documents(REDRIVES, [id]);
  return found === null ? null : keptOf(found);
};

/** Writes the operation down over what it was at `expect`. Null: another one was faster, or has taken it over since. */
export const keep = async (
  { store, transact, system }: { readonly store: Pick<Store, 'documents'>; readonly transact: Transact<never>; readonly system: System },
  given: Operation,
  expect: number | 'absent',
): Promise<Kept | null> => {
  const operation = { ...given, updatedAt: iso(system.now()) };
  const value = JSON.stringify(operation);
  const { kind } = await transact({
    stream: '',
    documents: [{ collection: REDRIVES, key: operation.id, value, expect }],
    persistent: false,
  });
  const [found = null] = kind === 'won' ? await store.documents(REDRIVES, [operation.id]) : [];
  return found?.value === value ? keptOf(found) : null;
};
