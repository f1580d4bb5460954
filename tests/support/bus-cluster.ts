import type { Transport } from '../../src/core/transport.ts';
import { createEventBus } from '../../src/runtime/create-event-bus.ts';
import type { EventBus, WorkerOptions } from '../../src/runtime/event-bus.ts';
import type { Delivery, SubscribeOptions } from '../../src/runtime/subscription.ts';
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts';
import { createCluster } from '../../src/testing/simulation/cluster.ts';
import type { Process, ProcessOptions } from '../../src/testing/simulation/process.ts';
import { createWitness, type Witness } from '../../src/testing/simulation/witness.ts';
import { type VirtualSystem, virtualSystem } from '../../src/testing/virtual-system.ts';

export type Events = { Did: { readonly name: string }; Other: Readonly<Record<string, unknown>> };

/** A process with its bus. */
export interface Member extends Process {
  readonly bus: EventBus<Events>;
  /** Starts working and waits until it does. */
  work(options?: WorkerOptions): Promise<void>;
}

/** A handler's word: what it does with a delivery, and in which process. */
export type Handle = (delivery: Delivery, process: Process) => unknown;

export interface Subscriptions {
  readonly [name: string]: Omit<SubscribeOptions<Events>, 'on'> & {
    readonly handle: Handle;
    readonly types?: readonly (keyof Events & string)[];
  };
}

export interface BusCluster {
  readonly system: VirtualSystem;
  readonly witness: Witness;
  away(durationMs: number, when: 'before' | 'after'): void;
  /** No outage and no fault strikes from now on. */
  heal(): void;
  /** Another process with the subscriptions, or without any. */
  member(name: string, options?: ProcessOptions, declares?: 'all' | 'none'): Member;
  /** Publishes `Did` from a process of its own, one after the other. Resolves once durable. */
  publish(stream: string, ...names: readonly string[]): Promise<void>;
  /** Publishes that many at once over so many streams: `e0` to `s0`, `e1` to `s1` and so on. */
  publishMany(howMany: number, streams?: number): Promise<void>;
  /** What was started, as `<subscription>:<name>.<generation>.<attempt>`, in order. */
  readonly starts: readonly string[];
}

/** Buses in processes over one memory store, for a test that tells its own story. */
export const busCluster = (
  subscriptions: Subscriptions,
  {
    shards = 1,
    seed = 1,
    declare = () => {},
    connect,
  }: {
    readonly shards?: number;
    readonly seed?: number;
    readonly declare?: (bus: EventBus<Events>, process: Process) => void;
    /** A process's transport. */
    readonly connect?: (process: Process) => Transport;
  } = {},
): BusCluster => {
  const system = virtualSystem({ seed });
  const witness = createWitness(createMemoryStore(system, shards), system);
  const cluster = createCluster(system, witness.store);
  const starts: string[] = [];

  const member: BusCluster['member'] = (name, options, declares = 'all') => {
    const process = cluster.process(name, options);
    const bus = createEventBus<Events>(process.system, { store: process.store, transport: connect?.(process) });
    bus.on('trouble', () => {});
    for (const [subscription, { handle, types = ['Did'], ...settings }] of declares === 'all' ? Object.entries(subscriptions) : []) {
      const run = (delivery: Delivery) =>
        process.inside(() => {
          const { data, generation, attempt } = delivery;
          starts.push(`${subscription}:${(data as Partial<Events['Did']>)?.name ?? delivery.id}.${generation}.${attempt}`);
          return handle(delivery, process);
        });
      bus.subscribe(subscription, { ...settings, on: Object.fromEntries(types.map((type) => [type, run])) });
    }
    declare(bus, process);
    // The process itself is not copied: whether it is alive changes.
    return Object.assign(Object.create(process) as Process, {
      bus,
      work: (working?: WorkerOptions) => system.run(bus.start({ leaseMs: 1000, ...working })),
    });
  };

  const api = member('api');
  return {
    system,
    witness,
    away: cluster.away,
    heal: cluster.heal,
    member,
    starts,
    async publish(stream, ...names) {
      for (const name of names) await system.run(api.bus.publish({ stream, type: 'Did', data: { name } }));
    },
    async publishMany(howMany, streams = howMany) {
      const all = Array.from({ length: howMany }, (_, index) =>
        api.bus.publish({ stream: `s${index % streams}`, type: 'Did', data: { name: `e${index}` } }),
      );
      await system.run(Promise.all(all));
    },
  };
};
