// A worker that takes what a broker brings as it comes, and never looks into the log for what came before it.
import { rewrite } from '../rewrite.ts';

rewrite('/src/runtime/log-reader.ts', {
  'if (event.position === at + 1 && room > 0)': 'if (event.position > at && room > 0)',
  'at += 1': 'at = event.position',
});
