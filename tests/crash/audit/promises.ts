import type { Evidence, Notes } from '../evidence.ts';
import type { Recorded } from './recorded.ts';

interface Details {
  readonly details?: { readonly totalMinor?: number };
}

/** What customers were told, against what is there. */
export const auditPromises = ({ accepted, asked, quiet }: Evidence, { orders }: Recorded, { look, fault }: Notes): void => {
  const rule = 'every accepted order is there';
  const totals = new Map(orders.map(({ row }) => [row.stream, (JSON.parse(row.state ?? '{}') as Details).details?.totalMinor]));
  for (const { orderId, totalMinor } of accepted) {
    look(rule);
    if (!totals.has(orderId)) fault(rule, 'was accepted and is not there', orderId);
    else if (totals.get(orderId) !== totalMinor)
      fault(rule, `was accepted over ${totalMinor} and is there over ${totals.get(orderId)}`, orderId);
  }
  const found = 'settled or behind an open dead letter, before any redrive';
  look(found, quiet.settled + quiet.waiting);
  for (const orderId of quiet.forgotten) fault(found, 'was neither', orderId);
  const once = 'S25 one order for each idempotency key';
  look(once, asked);
  if (accepted.length !== asked) fault(once, `${asked} customers came, ${accepted.length} were told that their order is taken`);
  if (new Set(accepted.map(({ orderId }) => orderId)).size !== accepted.length) fault(once, 'two customers were told of the same order');
  if (orders.length !== asked) fault(once, `${asked} customers came, and there are ${orders.length} orders`);
};
