import { simulate } from 'orderfold/testing';
import { expect, it } from 'vitest';
import { orderSaga } from './saga.ts';
import { fakeServices } from './services.ts';

/** One line of the report of a run that failed. */
const lostReply =
  '{"seed":0,"shards":1,"apis":1,"workers":1,"concurrency":1,"leaseMs":1000,"latencyMs":0,"hints":"others","storeFaults":[],"actions":[{"at":0,"do":"place","order":75,"fates":{"payments.charge":["lost"]},"times":1}]}';

it('takes the money once though the reply to the charge is lost', async () => {
  const report = await simulate({
    services: fakeServices,
    saga: (services) => orderSaga(services, { baseMs: 50, capMs: 500, timeoutMs: 1000 }),
    replay: lostReply,
  });
  expect(report.struck).toEqual({ lost: 1 });
});
