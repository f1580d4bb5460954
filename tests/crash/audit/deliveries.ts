import { DatabaseSync } from 'node:sqlite';
import { isOpen, type ParkedDelivery } from '../../../src/core/records.ts';
import type { Evidence, Notes } from '../evidence.ts';
import type { Recorded } from './recorded.ts';

/** Undos get three times the attempts. */
const allowed = ({ type }: ParkedDelivery, maxAttempts: number): number => (type.endsWith('UndoRequested') ? 3 * maxAttempts : maxAttempts);

interface Detail {
  readonly ledger: {
    readonly attempts: readonly {
      readonly generation: number;
      readonly attempt: number;
      readonly delayMs: number | null;
      readonly rule: string;
    }[];
  };
  readonly lost: readonly unknown[];
}

const auditRecord = (record: ParkedDelivery, maxAttempts: number, { look, fault }: Notes): void => {
  const bad = (rule: string, text: string): void => fault(rule, `${record.id} ${text}`, record.stream);
  look('R1 R2 no delivery is left open');
  if (isOpen(record.state)) bad('R1 R2 no delivery is left open', `is ${record.state}`);
  if (record.startedAt !== null) bad('R1 R2 no delivery is left open', 'counts as started');
  const { ledger } = JSON.parse(record.detail) as Detail;
  const most = allowed(record, maxAttempts);
  for (const { attempt, generation, delayMs, rule } of ledger.attempts) {
    look('R3 attempts by the policy');
    if (attempt > most) bad('R3 attempts by the policy', `failed for the ${attempt}th time in generation ${generation}, of ${most}`);
    const usedUp = attempt === most || rule === 'permanent error';
    if ((delayMs === null) !== usedUp)
      bad('R3 attempts by the policy', `${delayMs === null ? 'died' : 'went on'} after attempt ${attempt} by ${rule}`);
  }
};

/** Parked deliveries, checkpoints, counters and leases when all is over. */
export const auditDeliveries = ({ database, maxAttempts }: Evidence, { orders, log, counts }: Recorded, notes: Notes): void => {
  const { look, fault } = notes;
  for (const { parked } of orders) for (const record of parked) auditRecord(record, maxAttempts, notes);

  const counted = 'counters are what they count';
  for (const [subscription, { backlog, scheduled, dead, retries }] of Object.entries(counts.subscriptions)) {
    look(counted);
    // Timers have no part in the log, so theirs is no backlog.
    if ((subscription === 'timers' ? 0 : backlog) + scheduled + dead > 0)
      fault(counted, `${subscription}: backlog ${backlog}, scheduled ${scheduled}, dead ${dead}`);
    if (!Number.isSafeInteger(retries)) fault(counted, `${subscription}: ${retries} retries`);
  }
  const statuses: Record<string, number> = {};
  for (const { row } of orders) statuses[row.status ?? ''] = (statuses[row.status ?? ''] ?? 0) + 1;
  for (const [status, howMany] of Object.entries(counts.streams)) {
    look(counted);
    if ((statuses[status] ?? 0) !== howMany) fault(counted, `${howMany} count as ${status}, ${statuses[status] ?? 0} are`);
  }

  const db = new DatabaseSync(database, { readOnly: true });
  try {
    const leases = 'leases are let go in order';
    const checkpoints = db.prepare('SELECT subscription, shard, low, done, owner, clean FROM checkpoints').all();
    for (const { subscription, shard, low, done, owner, clean } of checkpoints) {
      look(leases);
      if (owner !== null || clean !== 1) fault(leases, `${subscription}/${shard} belongs to ${owner}, clean: ${clean}`);
      const head = log[Number(shard)]?.length ?? 0;
      if (subscription !== 'timers' && (low !== head || done !== '[]'))
        fault(counted, `${subscription}/${shard} is done up to ${low} and ${done} of ${head}`);
    }
    look('the file is sound');
    const { integrity_check: sound } = db.prepare('PRAGMA integrity_check').get() ?? {};
    if (sound !== 'ok') fault('the file is sound', String(sound));
  } finally {
    db.close();
  }
};

/** Starts that were lost with their process, as the file remembers them: kills that hit something. */
export const lostStarts = ({ orders }: Recorded): number =>
  orders.reduce((sum, { parked }) => sum + parked.reduce((mine, { detail }) => mine + (JSON.parse(detail) as Detail).lost.length, 0), 0);
