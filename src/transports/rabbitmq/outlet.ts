import type { Options } from 'amqplib';
import { OrderfoldError } from '../../core/errors.ts';
import { type Confirms, createConfirms } from './confirms.ts';
import type { Broker, Connection } from './connection.ts';

/** A message as it goes out. */
export interface Parcel {
  readonly key: string;
  readonly body: Buffer;
  readonly properties: Options.Publish;
}

/** A channel on which the broker confirms what it has taken. */
export interface Outlet {
  /**
   * Resolves when all are confirmed, with whether any of them may have come to no queue at all. Rejects with `BUSY` at once while the
   * broker takes no messages, and otherwise with what the broker or the client gave as a reason.
   */
  send(parcels: readonly Parcel[]): Promise<{ readonly isUnroutable: boolean }>;
}

/** @param lost is called once, when the channel has ended for any reason */
export const openOutlet = async (connection: Connection, exchange: string, broker: Broker, lost: () => void): Promise<Outlet> => {
  const { model } = connection;
  const channel = await connection.answer(model.createConfirmChannel());
  const pending = new Set<Confirms>();
  let refusal: Error | undefined;
  const reasonFor = (error: unknown): unknown => connection.lostBecause ?? refusal ?? error;
  const failAll = (error: unknown): void => {
    for (const confirms of pending) confirms.fail(error);
  };
  const busy = (): OrderfoldError => new OrderfoldError('BUSY', `${broker.shown} takes no messages, being short of memory or disk`);
  const onBlocked = (): void => failAll(busy());
  model.on('blocked', onBlocked);
  channel.on('error', (error) => {
    refusal = error;
  });
  channel.on('close', () => {
    model.off('blocked', onBlocked);
    failAll(reasonFor(new Error('the channel was closed')));
    lost();
  });
  // It comes before the confirm of its message, which is therefore one of these. The others are sent again for nothing.
  channel.on('return', () => {
    for (const confirms of pending) confirms.unroutable();
  });
  const silent = (): void => connection.giveUp(new Error(`not one message was confirmed within ${broker.timeoutMs} ms`));
  const forget = (confirms: Confirms): void => void pending.delete(confirms);

  return {
    async send(parcels) {
      if (connection.isBlocked) throw busy();
      const confirms = createConfirms(parcels.length, broker, silent, forget);
      pending.add(confirms);
      const confirmed = (error: unknown): void => (error === null ? confirms.confirm() : confirms.fail(reasonFor(error)));
      try {
        for (const { key, body, properties } of parcels) channel.publish(exchange, key, body, properties, confirmed);
      } catch (error) {
        confirms.fail(reasonFor(error));
      }
      return confirms.all;
    },
  };
};
