import { OrderfoldError } from '../../core/errors.ts';

export type Client = typeof import('amqplib');

/** amqplib, which is the application's. Fetched only now, so that importing this package asks for nothing. @throws OrderfoldError `CONFIG` */
export const loadClient = async (): Promise<Client> => {
  try {
    return await import('amqplib');
  } catch (cause) {
    throw new OrderfoldError('CONFIG', 'rabbitmqTransport needs amqplib: npm install amqplib', { cause });
  }
};
