import { isLeft } from 'fp-ts/lib/Either.js';
import { eventId } from '../../src/core/envelope.ts';
import { isOrderfoldError } from '../../src/core/errors.ts';
import { isOpen } from '../../src/core/records.ts';
import { RetryPolicy } from '../../src/core/retry-policy.ts';
import { type AnyOrderSaga, OrderSaga } from '../../src/order/saga.ts';
import { createOrdersOn, type Orders } from '../../src/runtime/orders.ts';
import type { Delivery } from '../../src/runtime/subscription.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { createCluster } from '../../src/testing/simulation/cluster.ts';
import type { Process } from '../../src/testing/simulation/process.ts';
import type { StoreFault } from '../../src/testing/simulation/store-fault.ts';
import { createWitness, type Witness } from '../../src/testing/simulation/witness.ts';
import { type VirtualSystem, virtualSystem } from '../../src/testing/virtual-system.ts';
import { auditOrders } from './order-audit.ts';
import { type OrderAction, type OrderScenario, SAGAS } from './order-scenarios.ts';
import { CALL_TIMEOUT_MS, createShop, type Fates, type Shop } from './shop.ts';

export interface OrderWorld {
  readonly system: VirtualSystem;
  readonly witness: Witness;
  readonly shop: Shop;
  readonly faults: readonly string[];
  readonly struck: number;
  readonly trace: readonly string[];
  /** How many orders ended as what. */
  readonly ends: Readonly<Record<string, number>>;
}

interface Member {
  process: Process;
  orders: Orders<AnyOrderSaga>;
  lives: number;
}

const LEASE_MS = 1000;
const BOOKED: ReadonlySet<string> = new Set(['OrderPlaced', 'CancellationStarted', 'OrderConfirmed', 'OrderCancelled', 'StepDeadLettered']);
const QUIET_MS = 40_000;
const TOTAL_MINOR = 990;

/** Plays orders against an unreliable shop to the quiet end, heals the world, redrives, discards what still dies, and audits. */
export const playOrders = async (scenario: OrderScenario): Promise<OrderWorld> => {
  const system = virtualSystem({ seed: scenario.seed });
  const witness = createWitness(createMemoryStore(system, 2), system);
  const cluster = createCluster(system, witness.store);
  const placed: { readonly customerId: string; readonly fates: Fates; orderId?: string }[] = [];
  /** A projection: which events were entered into the books. */
  const entered = new Set<string>();
  const shop = createShop(system, (customerId) => placed[Number(customerId.slice(1))]?.fates ?? {});
  const faults: string[] = [];
  const trace: string[] = [];
  let struck = 0;
  const wrong = (what: string): void => void faults.push(`${system.monotonic()} ms: ${what}`);
  const tell = (line: string): void => void trace.push(`${system.monotonic()} ${line}`);

  const begin = (name: string, lives: number, own: readonly StoreFault[]): Member => {
    const process = cluster.process(`${name}.${lives}`, { faults: own, latencyMs: scenario.latencyMs, hints: scenario.hints });
    let saga = OrderSaga.define(scenario.deadlineMs === null ? {} : { deadlineMs: scenario.deadlineMs }) as unknown as {
      step(name: string, options: object): typeof saga;
    } & AnyOrderSaga;
    for (const { name: step, after, undo } of SAGAS[scenario.saga]) {
      saga = saga.step(step, {
        after,
        do: (input: never) => shop.run(process, step, input),
        undo: undo === 'undo' ? (input: never) => shop.undo(process, step, input) : undo,
        ...(scenario.query && { query: (input: never) => shop.query(process, step, input) }),
        retry: RetryPolicy.fixed({ delayMs: 60 }).maxAttempts(3),
        timeoutMs: CALL_TIMEOUT_MS,
        neverRefuses: step === 'receipt' || step === 'notification',
      });
    }
    const orders = createOrdersOn(process.system, { store: process.store, saga }) as unknown as Orders<AnyOrderSaga>;
    const enter = ({ id, stream, version }: Delivery): Promise<void> =>
      process.inside(() => {
        const missing = (witness.events.get(stream) ?? []).find(
          (event) => event.version < version && BOOKED.has(event.type) && !entered.has(eventId(stream, event.version)),
        );
        if (missing !== undefined) wrong(`R16 ${id} was entered before ${eventId(stream, missing.version)}`);
        entered.add(id);
      });
    orders.subscribe('books', { on: Object.fromEntries([...BOOKED].map((type) => [type, enter])), start: 'beginning' });
    orders.on('trouble', ({ where, error }) => tell(`${process.name} trouble ${where}: ${String(error)}`));
    orders.on('appended', ({ stream, events }) => {
      for (const { version, type } of events) tell(`${process.name} ${stream}@${version} ${type}`);
    });
    for (const name of ['retry', 'dead'] as const) orders.on(name, ({ id, rule }) => tell(`${process.name} ${name} ${id} ${rule}`));
    return { process, orders, lives };
  };
  const start = ({ process, orders }: Pick<Member, 'process' | 'orders'>): void => {
    orders
      .worker({ leaseMs: LEASE_MS, concurrency: 8 })
      .start()
      .catch((error: unknown) => {
        if (isOrderfoldError(error, 'STORE')) process.system.setTimer(300, () => start({ process, orders }));
      });
  };

  const api = begin('api', 1, scenario.faults[0] ?? []);
  const workers = Array.from({ length: scenario.workers }, (_, index) => begin(`w${index}`, 1, scenario.faults[index + 1] ?? []));
  workers.forEach(start);
  const worker = (index: number): Member => workers[index % workers.length] as Member;
  const revive = (): void => {
    for (const [index, { process, lives }] of workers.entries()) {
      if (process.alive) continue;
      struck += process.struck;
      const next = begin(`w${index}`, lives + 1, []);
      workers[index] = next;
      start(next);
    }
    if (!api.process.alive) {
      struck += api.process.struck;
      Object.assign(api, begin('api', api.lives + 1, []));
    }
  };

  /** A client asks again, with its key, until it has an answer. */
  const place = (index: number): void => {
    const customerId = `c${index}`;
    const request = { customerId, currency: 'EUR', items: [{ sku: 'a', quantity: 1, unitPriceMinor: TOTAL_MINOR }] };
    let answered = false;
    const ask = (): void => {
      if (answered) return;
      system.setTimer(400, ask);
      api.orders.place(request as never, { idempotencyKey: customerId }).then(
        (either) => {
          answered = true;
          const order = placed[index];
          if (isLeft(either)) return wrong(`S25 placing ${customerId} again was refused: ${either.left.code}`);
          const { orderId } = either.right as { readonly orderId: string };
          if (order?.orderId !== undefined && order.orderId !== orderId)
            wrong(`S25 ${customerId} has the orders ${order.orderId} and ${orderId}`);
          if (order !== undefined) order.orderId = orderId;
        },
        (error: unknown) => tell(`place ${customerId}: ${String(error)}`),
      );
    };
    ask();
  };

  const quietly = (asked: Promise<unknown>, what: string): void =>
    void asked.catch((error: unknown) => (isOrderfoldError(error) ? tell(`${what}: ${error.code}`) : wrong(`${what}: ${String(error)}`)));

  const act = (action: OrderAction): unknown => {
    tell(JSON.stringify(action));
    switch (action.do) {
      case 'place':
        placed.push({ customerId: `c${placed.length}`, fates: action.fates });
        place(placed.length - 1);
        if (action.twice) place(placed.length - 1);
        return;
      case 'cancel':
      case 'look': {
        const orderId = placed[action.order % Math.max(1, placed.length)]?.orderId;
        if (orderId === undefined) return;
        const { orders } = api;
        if (action.do === 'cancel') return quietly(orders.cancel(orderId, { reason: 'changed my mind' }), 'cancel');
        return quietly(Promise.all([orders.get(orderId), orders.timeline(orderId), orders.list()]), 'look');
      }
      case 'redrive':
      case 'discard': {
        const { orders } = action.by === 'api' ? api : worker(action.by);
        return quietly(orders.deadLetters[action.do]({ filter: {} }, { by: 'op', reason: 'test' }), action.do);
      }
      case 'away':
        struck += 1;
        return cluster.away(action.forMs, action.when);
      case 'storeClock':
        return system.stepWallClock(3_600_000);
      case 'wallClock':
        return worker(action.worker).process.stepWallClock(action.byMs);
    }
    struck += 1;
    const member = worker(action.worker);
    if (action.do === 'crash') member.process.crash(action.arrive);
    if (action.do === 'stall') member.process.stall(action.forMs);
    if (action.do === 'stop')
      quietly(
        member.orders
          .worker()
          .stop({ graceMs: action.graceMs })
          .then(() => start(member)),
        'stop',
      );
  };

  const openRecords = () => [...witness.parked.values()].filter(({ state }) => isOpen(state));
  const isQuiet = (): boolean =>
    placed.every(({ orderId }) => orderId !== undefined) &&
    [...witness.events.values()]
      .flat()
      .every(
        (event) =>
          SAGAS[scenario.saga].every(({ name }) => !isRequest(event.type, name) || witness.isDone(name, event)) &&
          (!BOOKED.has(event.type) || witness.isDone('books', event)),
      ) &&
    openRecords().every(({ state, kind, subscription, stream, version }, _, open) => {
      if (kind === 'timer' || state !== 'scheduled') return state !== 'scheduled';
      const inFront = (other: (typeof open)[number]) =>
        other.subscription === subscription && other.stream === stream && other.version < version && other.state === 'dead';
      return open.some(inFront);
    });
  // A call that kills its process costs all of them a lease.
  const patienceMs = QUIET_MS + scenario.actions.length * 5000;
  const untilQuiet = async (what: string): Promise<void> => {
    for (let waited = 0; waited < patienceMs; waited += 500) {
      await system.advance(500);
      revive();
      if (isQuiet()) return;
    }
    const waiting = [...witness.parked.values()].filter(({ state }) => state === 'scheduled');
    wrong(
      `S17 not quiet ${patienceMs} ms ${what}; scheduled: ${waiting.map(({ id, startedAt }) => `${id}${startedAt === null ? '' : ' (started)'}`).join(' ')}`,
    );
  };

  for (const action of [...scenario.actions].sort((a, b) => a.at - b.at)) {
    while (system.monotonic() < action.at) {
      await system.advance(Math.min(250, action.at - system.monotonic()));
      revive();
    }
    act(action);
  }
  await untilQuiet('after the last action');
  await auditOrders(scenario, { witness, shop }, placed, wrong, 'quiet');

  shop.heal();
  cluster.heal();
  await system.advance(5000);
  revive();
  const isDead = (): boolean => [...witness.parked.values()].some(({ state }) => state === 'dead');
  for (let round = 0; isDead() && round < 8; round += 1) {
    const how = round < 5 ? 'redrive' : 'discard';
    await system.run(api.orders.deadLetters[how]({ filter: {} }, { by: 'op', reason: 'healed' }));
    await untilQuiet(`after the last ${how}`);
  }
  for (const [stream, events] of witness.events)
    for (const { type, version } of events)
      if (BOOKED.has(type) && !entered.has(eventId(stream, version))) wrong(`R1 ${eventId(stream, version)} ${type} was never entered`);
  const ends = await auditOrders(scenario, { witness, shop }, placed, wrong, 'settled');
  for (const { process, orders } of workers) {
    struck += process.struck;
    if (process.alive) await system.run(orders.close());
  }
  await system.run(api.orders.close());
  await system.advance(2000);
  if (system.pending > 0) wrong(`R25 ${system.pending} timers are left after everything was closed`);
  return {
    system,
    witness,
    shop,
    faults: [...faults, ...witness.faults.map(({ invariant, text }) => `${invariant} ${text}`), ...shop.faults],
    struck: struck + api.process.struck,
    trace,
    ends,
  };
};

const isRequest = (type: string, step: string): boolean => {
  const capital = `${step.charAt(0).toUpperCase()}${step.slice(1)}`;
  return type === `${capital}Requested` || type === `${capital}UndoRequested`;
};
