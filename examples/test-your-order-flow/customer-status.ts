/** What the customer reads about an order, from its events so far. */
export const customerStatus = (events: readonly { readonly type: string }[]): string => {
  let status = 'received';
  for (const { type } of events) {
    if (type === 'CancellationStarted') status = 'being cancelled';
    if (type === 'OrderCancelled') status = 'cancelled';
    if (type === 'OrderConfirmed') status = 'on its way';
  }
  return status;
};
