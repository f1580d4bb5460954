import { OrderfoldError } from '../../core/errors.ts';
import { type Checker, count, ms, resolveOptions, text } from '../../core/options.ts';

export interface RabbitmqTransportOptions {
  /** `amqp://user:password@host:5672/vhost`, or `amqps://…`. Odd characters of a login are percent-encoded. No message ever shows the login. */
  readonly url: string;
  /** The name of the exchange, and what the names of the queues begin with: letters, digits and `-_.:`, at most 100. @default 'orderfold' */
  readonly topic?: string;
  /** How many messages a queue keeps; beyond that it drops the oldest. What it is made with can't be changed later. @default 1_000_000 */
  readonly maxLength?: number;
  /** In UTF-8. Not above the broker's own `max_message_size`. @default 16 MiB */
  readonly maxBodyBytes?: number;
  /** How long a broker may say nothing before it counts as lost. @default 10_000 */
  readonly timeoutMs?: number;
}

/** With an unencoded `/`, `@` or `#` in it a password reads as a port, a path or a fragment, and would be shown as one. */
const isAddress = (url: string): boolean => {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname, pathname, search, hash } = new URL(url);
  return (protocol === 'amqp:' || protocol === 'amqps:') && hostname !== '' && hash === '' && !`${pathname}${search}`.includes('@');
};

const topicName: Checker<string> = {
  expected: 'a name of 1 to 100 letters, digits and -_.: that does not begin with amq.',
  accepts: (value): value is string => typeof value === 'string' && /^(?!amq\.)[\w.:-]{1,100}$/.test(value),
  default: 'orderfold',
};

const specification = {
  url: text({ max: 4096 }),
  topic: topicName,
  maxLength: count({ min: 1, max: 2 ** 31 - 1, default: 1_000_000 }),
  maxBodyBytes: count({ min: 1, max: 2 ** 29, default: 2 ** 24 }),
  timeoutMs: ms({ min: 100, max: 600_000, default: 10_000 }),
};

/** @throws OrderfoldError `CONFIG` */
export const checkedOptions = (options: RabbitmqTransportOptions) => {
  const resolved = resolveOptions('rabbitmqTransport', options, specification);
  if (isAddress(resolved.url)) return resolved;
  // Not what was given: where the password begins in it is anybody's guess.
  const problem = 'expected url to be an address such as amqp://user:password@host:5672/vhost, with / @ : # of a login percent-encoded';
  throw new OrderfoldError('CONFIG', `rabbitmqTransport: ${problem}`);
};

/** The address without the login, as it may be shown. */
export const shownAddress = (url: string): string => {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
};
