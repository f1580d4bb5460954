import { createHash } from 'node:crypto';

/** AMQP counts the bytes of names, keys and properties in one byte. */
const LONGEST_BYTES = 255;
const DIGEST_BYTES = 43;

/** What may not stand as it is: `%` and `~` nowhere, because they begin what is encoded and what is cut off. */
const ODD_IN_NAME = /[^\w:-]/gu;
const ODD_IN_KEY = /[^\w:.-]/gu;
const ODD_IN_PROPERTY = /[^!-$&-}]/gu;

const escaped = (character: string): string => {
  const unit = character.charCodeAt(0);
  if (character.length === 1 && unit >= 0xd800 && unit <= 0xdfff) return `%u${unit.toString(16)}`;
  return [...new TextEncoder().encode(character)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
};

/** Different texts become different ASCII texts of at most `longest` bytes. What is too long ends in a digest of all of it. */
const encoded = (text: string, odd: RegExp, longest: number): string => {
  const whole = text.replace(odd, escaped);
  if (whole.length <= longest) return whole;
  const digest = createHash('sha256').update(whole).digest('base64url');
  return `${whole.slice(0, longest - DIGEST_BYTES - 1)}~${digest}`;
};

/** Of a subscription in a shard. A topic may have dots in it and the other two parts have none, so that no two queues share a name. */
export const queueName = (topic: string, subscription: string, shard: number): string => {
  const [head, tail] = [`${topic}.`, `.${shard}`];
  return `${head}${encoded(subscription, ODD_IN_NAME, LONGEST_BYTES - head.length - tail.length)}${tail}`;
};

/** `3.OrderConfirmed`, so that another service binds `*.OrderConfirmed`, or `*.order.#` where types have dots in them. */
export const routingKey = (shard: number, type: string): string => {
  const head = `${shard}.`;
  return `${head}${encoded(type, ODD_IN_KEY, LONGEST_BYTES - head.length)}`;
};

/** What a queue of a shard is bound with. */
export const bindingKey = (shard: number): string => `${shard}.#`;

/** An id or a type as a property of a message: printable ASCII stays as it is. */
export const property = (text: string): string => encoded(text, ODD_IN_PROPERTY, LONGEST_BYTES);
