// An event bus without orders: one subscription that fails, is retried, dies, and is redriven once its mail server is back.
import { setTimeout as sleep } from 'node:timers/promises';
import { DeadLetterStore, EventBus, memoryStore, RetryPolicy } from 'orderfold';

interface Events {
  readonly UserSignedUp: { readonly userId: string; readonly mail: string };
  readonly UserLeft: { readonly userId: string };
}

let mailServerUp = false;
const bus = EventBus.create<Events>({ store: memoryStore() });

bus.subscribe('mail', {
  on: {
    UserSignedUp: async ({ data, attempt, effectKey }) => {
      if (!mailServerUp) throw new Error('the mail server does not answer');
      console.log(`welcome, ${data.mail} (attempt ${attempt}, sent once under the key ${effectKey})`);
    },
    // Runs after the welcome, however long that lies dead: it is the same user's stream.
    UserLeft: async ({ data }) => console.log(`goodbye, ${data.userId}`),
  },
  retry: RetryPolicy.exponential({ baseMs: 10, capMs: 100 }).maxAttempts(3),
});
bus.on('dead', ({ id, rule }) => console.log(`dead letter ${id}: ${rule}`));

await bus.start();
await bus.publish({ stream: 'u1', type: 'UserSignedUp', data: { userId: 'u1', mail: 'u1@example.org' } });
await bus.publish({ stream: 'u1', type: 'UserLeft', data: { userId: 'u1' } });

const letters = DeadLetterStore.of(bus);
let id: string | undefined;
while (id === undefined) {
  await sleep(10);
  id = (await letters.list({ subscription: 'mail' })).deadLetters[0]?.id;
}
for (const { attempt, error, delayMs } of (await letters.get(id))?.history ?? []) {
  console.log(`  attempt ${attempt}: ${error.message}, ${delayMs === null ? 'given up' : `waited ${delayMs} ms`}`);
}

mailServerUp = true;
const handled = new Promise<void>((resolve) => void bus.on('handled', ({ type }) => type === 'UserLeft' && resolve()));
await letters.redrive({ ids: [id] }, { by: 'ops', reason: 'the mail server is back' });
await handled;
await bus.close();
