import type { OrderRequest } from '../../order/standard-order.ts';

/** A request of the standard order, out of seeded numbers. */
export const standardRequest = (random: () => number): OrderRequest => ({
  customerId: `c${Math.floor(random() * 100)}`,
  currency: random() < 0.8 ? 'EUR' : 'JPY',
  items: Array.from({ length: 1 + Math.floor(random() * 2) }, (_, at) => ({
    sku: `sku-${at}`,
    quantity: 1 + Math.floor(random() * 3),
    unitPriceMinor: Math.floor(random() * 5000),
  })),
});
