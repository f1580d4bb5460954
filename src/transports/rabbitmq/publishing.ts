import { OrderfoldError } from '../../core/errors.ts';
import type { Message } from '../../core/transport.ts';
import type { Broker } from './connection.ts';
import { configFault, NOT_FOUND, PRECONDITION_FAILED, replyCode, transportFault } from './faults.ts';
import type { Link } from './link.ts';
import { property, routingKey } from './names.ts';
import { type Outlet, openOutlet, type Parcel } from './outlet.ts';
import type { Topology } from './topology.ts';

export interface Publishing {
  readonly topic: string;
  readonly maxBodyBytes: number;
}

const CONTENT_TYPE = 'application/cloudevents+json; charset=utf-8';

/** `publish` of a transport, over a connection of its own: the broker stops reading from one that publishes when it is short of memory. */
export const createPublishing = (broker: Broker, link: Link, topology: Topology, { topic, maxBodyBytes }: Publishing) => {
  let current: Promise<Outlet> | null = null;

  const outlet = (): Promise<Outlet> => {
    if (current !== null) return current;
    const forget = (): void => {
      if (current === mine) current = null;
    };
    const mine = link.connection().then((connection) => openOutlet(connection, topic, broker, forget));
    current = mine;
    mine.catch(forget);
    return mine;
  };

  const parcelOf = ({ id, shard, type, body: text }: Message): Parcel => {
    const body = Buffer.from(text);
    if (body.length > maxBodyBytes) {
      const problem = `the body of ${property(id)} has ${body.length} bytes, of at most ${maxBodyBytes}`;
      throw new OrderfoldError('TRANSPORT', problem, { retryable: false });
    }
    const properties = {
      mandatory: true,
      persistent: true,
      contentType: CONTENT_TYPE,
      messageId: property(id),
      type: property(type),
    };
    return { key: routingKey(shard, type), body, properties };
  };

  const faultOf = (error: unknown): OrderfoldError => {
    if (replyCode(error) === NOT_FOUND) topology.missed();
    return replyCode(error) === PRECONDITION_FAILED
      ? configFault(`publishing to ${topic}`, error)
      : transportFault(`publishing to ${topic}`, error);
  };

  return async (messages: readonly Message[]): Promise<void> => {
    const parcels = messages.map(parcelOf);
    if (parcels.length === 0) return;
    await topology.restore();
    const { isUnroutable } = await outlet()
      .then(({ send }) => send(parcels))
      .catch((error: unknown) => {
        throw faultOf(error);
      });
    if (!isUnroutable || topology.size === 0) return;
    topology.missed();
    await topology.restore();
    throw new OrderfoldError('TRANSPORT', `some queues of ${topic} were gone and have been declared again`);
  };
};
