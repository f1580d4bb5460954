import type { Evidence, Findings, Notes } from '../evidence.ts';
import { auditBroker } from './broker.ts';
import { auditDeliveries, lostStarts } from './deliveries.ts';
import { auditHistories } from './histories.ts';
import { auditMoney } from './money.ts';
import { auditPromises } from './promises.ts';
import { readRecorded } from './recorded.ts';
import { auditTraces } from './traces.ts';
import { auditViews } from './views.ts';

/** Everything that has to hold after every run, whatever struck. */
export const audit = async (
  evidence: Evidence,
): Promise<Findings & { readonly ends: Readonly<Record<string, number>>; readonly lostStarts: number }> => {
  const checked: Record<string, number> = {};
  const faults: { rule: string; text: string; orderId?: string | undefined }[] = [];
  const notes: Notes = {
    look(rule, howMany = 1) {
      checked[rule] = (checked[rule] ?? 0) + howMany;
    },
    fault: (rule, text, orderId) => void faults.push({ rule, text, orderId }),
  };
  const recorded = await readRecorded(evidence.database);
  const lost = lostStarts(recorded);
  notes.look('while it ran', evidence.asked);
  for (const text of evidence.faults) notes.fault('while it ran', text);
  auditPromises(evidence, recorded, notes);
  auditHistories(evidence, recorded, notes);
  auditViews(evidence, recorded, notes);
  auditMoney(evidence, recorded, notes);
  auditDeliveries(evidence, recorded, notes);
  auditBroker(evidence, recorded, notes);
  auditTraces(evidence, lost, notes);
  const ends: Record<string, number> = {};
  for (const { row } of recorded.orders) ends[row.status ?? ''] = (ends[row.status ?? ''] ?? 0) + 1;
  return { checked, faults, ends, lostStarts: lost };
};
