import { effectKey } from '../../../src/order/names.ts';
import type { Evidence, Notes } from '../evidence.ts';
import type { Recorded, RecordedOrder } from './recorded.ts';

const STEP_OF: Readonly<Record<string, { readonly step: string; readonly undo: boolean }>> = {
  charges: { step: 'payment', undo: false },
  refunds: { step: 'payment', undo: true },
  reservations: { step: 'inventory', undo: false },
  notifications: { step: 'notification', undo: false },
};

const waived = ({ events }: RecordedOrder, step: string): boolean =>
  events.some(({ type, data }) => type === 'StepWaived' && (JSON.parse(data) as { readonly step: string }).step === step);

const totalOf = ({ row }: RecordedOrder): number =>
  (JSON.parse(row.state ?? '{}') as { readonly details?: { readonly totalMinor?: number } }).details?.totalMinor ?? Number.NaN;

/** What the services really did, against what became of the orders. */
export const auditMoney = ({ services }: Evidence, { orders }: Recorded, { look, fault }: Notes): void => {
  const { books } = services;
  const rule = 'S1 to S4, S7 money, goods and letters';
  look(rule, orders.length);
  for (const text of services.audit(
    orders.map((order) => ({ orderId: order.row.stream, status: order.row.status ?? '', totalMinor: totalOf(order) })),
  )) {
    fault(rule, text, orders.find(({ row }) => text.includes(row.stream))?.row.stream);
  }

  const keys = 'S1 one success for each effect key';
  const known = new Set(orders.map(({ row }) => row.stream));
  for (const [step, effects] of [
    ['payment', books.charges],
    ['inventory', books.reservations],
  ] as const) {
    for (const [key, { orderId }] of effects) {
      look(keys);
      if (key !== effectKey(orderId, step, 'do')) fault(keys, `${step} happened under the key ${key}`, orderId);
      if (!known.has(orderId)) fault(keys, `${step} happened for an order that is not there`, orderId);
    }
  }

  const calls = 'S20 every call under the key of its step and direction';
  for (const { method, path, key, body } of books.calls) {
    look(calls);
    const [, name = ''] = path.split('/');
    const { step, undo } = STEP_OF[name] ?? { step: name, undo: false };
    const orderId = key.split(':')[0] ?? '';
    const right = known.has(orderId) && key === effectKey(orderId, step, undo || method === 'DELETE' ? 'undo' : 'do');
    if (!right || (body.orderId !== undefined && body.orderId !== orderId))
      fault(calls, `${method} ${path} came under the key ${key}`, orderId);
  }

  const told = 'confirmed customers are told, or that was waived';
  const notified = new Set(books.notifications.values());
  for (const order of orders) {
    if (order.row.status !== 'confirmed') continue;
    look(told);
    if (!notified.has(order.row.stream) && !waived(order, 'notification'))
      fault(told, 'was confirmed and nobody was told', order.row.stream);
  }
};
