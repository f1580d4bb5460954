import { memoryStore } from 'orderfold';
import { runOrder } from './app.js';

void runOrder(memoryStore());
