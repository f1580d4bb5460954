// A wall clock that is stepped, in this process alone.
import { CLOCK_STEPPED } from '../evidence.ts';
import { happened } from './harm.ts';
import { onHarm } from './suffering.ts';

const Real = Date;
let aheadMs = 0;

class Stepped extends Real {
  constructor(...given: readonly unknown[]) {
    super(...((given.length === 0 ? [Real.now() + aheadMs] : given) as [number]));
  }

  static override now(): number {
    return Real.now() + aheadMs;
  }
}

onHarm((harm) => {
  if (harm.kind !== 'clock') return;
  aheadMs = harm.aheadMs;
  globalThis.Date = Stepped as DateConstructor;
  happened(CLOCK_STEPPED);
});
