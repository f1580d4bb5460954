import { createOrders } from 'orderfold';
import { orderSaga, type ShopOrders } from './saga.ts';
import { servicesOf } from './services/services-of.ts';
import type { Settings } from './settings.ts';
import { storeOf } from './store.ts';
import { transportOf } from './transport.ts';

/** The orders of these settings: the same store, transport and saga in a producer and in a worker. */
export const ordersOf = (settings: Settings): ShopOrders =>
  createOrders({
    store: storeOf(settings.database),
    transport: transportOf(settings.broker),
    saga: orderSaga(servicesOf(settings), settings),
  });
