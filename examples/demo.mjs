import { run } from './run.mjs';

run('./demo.ts');
