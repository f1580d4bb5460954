// A client that says of every twentieth message that the broker has confirmed it, and sends it nowhere.
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const { ConfirmChannel } = require(fileURLToPath(new URL('../../../node_modules/amqplib/lib/channel_model.js', import.meta.url)));
const real = ConfirmChannel.prototype.publish;
let published = 0;

ConfirmChannel.prototype.publish = function (this: unknown, ...given: unknown[]) {
  published += 1;
  if (published % 20 !== 0) return real.apply(this, given);
  setImmediate(() => (given[4] as (error: null) => void)(null));
  return true;
};
