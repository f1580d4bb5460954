import { sqliteStore } from 'orderfold/sqlite';
import { runOrder } from './app.js';

void runOrder(sqliteStore({ path: process.argv[2] ?? 'orders.db' }));
