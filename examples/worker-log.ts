import type { Orders } from 'orderfold';
import { oneLine } from './one-line.ts';

const print = (text: string): void => console.log(oneLine(text));

/** A line per retry, dead letter and settled order, and one for what an operator should know in any case. */
export const logWork = (orders: Pick<Orders, 'on'>, { quiet }: { readonly quiet: boolean }): void => {
  orders.on('storeAway', ({ error }) => console.error(oneLine(`the store is away: ${error.message}`)));
  orders.on('storeBack', () => console.error('the store is back'));
  orders.on('transportAway', ({ error }) => console.error(oneLine(`the broker is away: ${error.message}`)));
  orders.on('transportBack', () => console.error('the broker is back'));
  orders.on('trouble', ({ where, error }) =>
    console.error(oneLine(`trouble in ${where}: ${error instanceof Error ? error.message : String(error)}`)),
  );
  if (quiet) return;

  orders.on('retry', ({ type, stream, attempt, delayMs, error }) =>
    print(`retry ${type} of ${stream}: attempt ${attempt} failed (${error.code}: ${error.message}), next in ${delayMs} ms`),
  );
  orders.on('dead', ({ type, stream, attempt, error, id }) =>
    print(`dead ${type} of ${stream} after ${attempt} attempts (${error.code}: ${error.message}), dead letter ${id}`),
  );
  orders.on('appended', ({ stream, events }) => {
    for (const { type, data } of events) {
      if (type === 'OrderConfirmed') print(`confirmed ${stream}`);
      if (type === 'OrderCancelled') print(`cancelled ${stream}: ${(data as { readonly reason: string }).reason}`);
    }
  });
};
