// A disk that is full as long as a file beside the database says so: no page can be added to the database.
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

const open = new Set<DatabaseSync>();
const mark = process.env.DISK_FULL ?? '';
const real = process.getBuiltinModule;

class Watched extends DatabaseSync {
  constructor(...given: ConstructorParameters<typeof DatabaseSync>) {
    super(...given);
    open.add(this);
  }
}
process.getBuiltinModule = ((id: string) => (id === 'node:sqlite' ? { DatabaseSync: Watched } : real(id))) as typeof real;

let full = false;
const look = (): void => {
  if (existsSync(mark) === full) return;
  for (const db of open) {
    if (!db.isOpen) continue;
    const { page_count: pages } = db.prepare('PRAGMA page_count').get() ?? {};
    db.exec(`PRAGMA max_page_count = ${full ? 2 ** 30 : Number(pages)}`);
  }
  full = !full;
};
setInterval(look, 5).unref();
