import type { ParkedDelivery } from '../../core/records.ts';
import type { Store } from '../../core/store.ts';
import { filterOf, isLeft, type Operation } from './redrive-operation.ts';
import { byVersion, lettersOf, type Place, placeOf } from './selection.ts';

/** The letters left for an operation, as they are now, none before those of its stream that have a lower version. */
export async function* lettersLeft(store: Pick<Store, 'dead' | 'parked'>, operation: Operation): AsyncGenerator<ParkedDelivery, void> {
  const filter = filterOf(operation);
  const now = async (id: string): Promise<ParkedDelivery | null> => {
    const record = (await store.parked(id))?.parked;
    return record !== undefined && isLeft(record, operation) ? record : null;
  };
  for await (const met of lettersOf(store, filter)) {
    if ((await now(met.id)) === null) continue;
    const places: Place[] = [placeOf(met)];
    for await (const other of lettersOf(store, { ...filter, stream: met.stream })) {
      if (other.version < met.version) places.push(placeOf(other));
    }
    for (const { id } of places.sort(byVersion)) {
      const record = await now(id);
      if (record !== null) yield record;
    }
  }
}
