import type { Store } from '../core/store.ts';
import type { System } from '../core/system.ts';
import type { Holding } from './holding.ts';
import { patiently } from './patiently.ts';

interface Asked {
  readonly holding: Holding;
  readonly stream: string;
  readonly version: number;
  readonly answer: (held: boolean) => void;
  readonly failed: (error: unknown) => void;
}

/** Whether a parked delivery of an earlier version is in the way of one at the head of its lane. */
export type InTheWay = (holding: Holding, stream: string, version: number) => Promise<boolean>;

/** Asks the store once for all deliveries that reached the head of their lane in one turn. */
export const createInTheWay = (store: Store, system: System): InTheWay => {
  let waiting: Asked[] = [];

  return (holding, stream, version) =>
    new Promise((answer, failed) => {
      waiting.push({ holding, stream, version, answer, failed });
      if (waiting.length > 1) return;
      system.soon(() => {
        const asked = waiting;
        waiting = [];
        for (const name of new Set(asked.map((one) => one.holding.subscription.name))) {
          const mine = asked.filter((one) => one.holding.subscription.name === name);
          const stillOurs = (): boolean => mine.some((one) => one.holding.live);
          patiently(system, () => store.held(name, mine), stillOurs).then(
            (answers) => {
              for (const [index, one] of mine.entries()) one.answer(answers[index] === true);
            },
            (error) => {
              for (const one of mine) one.failed(error);
            },
          );
        }
      });
    });
};
