import { run } from './run.mjs';

run('./api.ts');
