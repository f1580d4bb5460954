import { run } from '../../examples/run.mjs';

run('../tests/crash/chaos.ts');
