/** The acks of one channel, whose deliveries the broker numbers 1, 2, 3 … */
export interface Acks {
  /** Notes an ack. Twice is once. */
  add(tag: number): void;
  /** Tells the broker of all that were noted since. */
  flush(): void;
}

/**
 * Sends as few acks as may be: one for all up to a tag, and one for each behind a gap.
 * @param send acks the delivery of a tag that was not sent yet, and with `allUpTo` all before it that were not
 */
export const createAcks = (send: (tag: number, allUpTo: boolean) => void): Acks => {
  /** Every delivery up to here is acked. */
  let low = 0;
  const above = new Set<number>();
  let unsent = new Set<number>();

  return {
    add(tag) {
      if (tag <= low || above.has(tag)) return;
      above.add(tag);
      unsent.add(tag);
    },
    flush() {
      // The broker closes the channel at an ack for a tag that it has forgotten, so the last one is a tag that was not sent before.
      let top = 0;
      while (above.delete(low + 1)) {
        low += 1;
        if (unsent.delete(low)) top = low;
      }
      if (top > 0) send(top, true);
      const rest = unsent;
      unsent = new Set();
      for (const tag of rest) send(tag, false);
    },
  };
};
