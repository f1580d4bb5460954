import { setTimeout as sleep } from 'node:timers/promises';
import { type ChannelModel, type ConfirmChannel, connect } from 'amqplib';

/** A test's own way to a broker that may be killed: when it is lost, it is made again until it is closed. */
export interface PatientChannel {
  /** Does it on the channel there is, and on the next one if that is lost meanwhile: what is asked for may happen twice. */
  use<T>(work: (channel: ConfirmChannel) => Promise<T>): Promise<T>;
  /** How often the broker said that it takes no messages. */
  readonly blocked: number;
  close(): Promise<void>;
}

const AGAIN_MS = 200;
const PATIENCE_MS = 120_000;

interface Life {
  readonly model: ChannelModel;
  readonly channel: ConfirmChannel;
  /** Rejects when it is over. */
  readonly lost: Promise<never>;
}

/** @param begin is called on every new channel, before it is used for anything else */
export const patientChannel = (url: string, begin: (channel: ConfirmChannel) => Promise<void>): PatientChannel => {
  let closed = false;
  let blocked = 0;
  let life: Promise<Life> | undefined;

  const live = async (): Promise<Life> => {
    const model = await connect(url, { noDelay: true });
    model.on('error', () => undefined);
    model.on('blocked', () => {
      blocked += 1;
    });
    const channel = await model.createConfirmChannel();
    const lost = new Promise<never>((_, reject) => {
      for (const one of [model, channel]) one.on('close', () => reject(new Error('the channel is lost')));
      channel.on('error', reject);
    });
    lost.catch(() => undefined);
    await Promise.race([begin(channel), lost]);
    return { model, channel, lost };
  };

  const alive = async (): Promise<Life> => {
    for (const until = performance.now() + PATIENCE_MS; ; await sleep(AGAIN_MS)) {
      life ??= live();
      const mine = life;
      try {
        const now = await mine;
        now.lost.catch(() => {
          if (life !== mine) return;
          life = undefined;
          // Nobody may ask for the next one, but what it is to consume goes on coming.
          if (!closed) alive().catch(() => undefined);
        });
        return now;
      } catch (error) {
        if (life === mine) life = undefined;
        if (closed || performance.now() > until) throw error;
      }
    }
  };

  return {
    async use(work) {
      for (const until = performance.now() + PATIENCE_MS; ; await sleep(AGAIN_MS)) {
        const { channel, lost } = await alive();
        try {
          return await Promise.race([work(channel), lost]);
        } catch (error) {
          if (closed || performance.now() > until) throw error;
        }
      }
    },
    get blocked() {
      return blocked;
    },
    async close() {
      closed = true;
      await (await life?.catch(() => undefined))?.model.close().catch(() => undefined);
    },
  };
};
