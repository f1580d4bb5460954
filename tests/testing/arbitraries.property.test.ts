import fc, * as all from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../src/order/decide.ts';
import { standardOrder } from '../../src/order/standard-order.ts';
import { validate } from '../../src/order/validate.ts';
import { arbitraries } from '../../src/testing/arbitraries.ts';

const { orders, plans, commands, histories, retryPolicies } = arbitraries(fc);

describe('arbitraries', () => {
  it('of orders are orders as a customer may ask for them, whatever their texts', async () => {
    await fc.assert(
      fc.asyncProperty(orders(), async (order) => {
        expect(await validate(standardOrder, order)).toMatchObject({ _tag: 'Right' });
      }),
      { numRuns: 150 },
    );
    const texts = fc
      .sample(orders(), { numRuns: 100, seed: 1 })
      .flatMap(({ customerId, items }) => [customerId, ...items.map(({ sku }) => sku)]);
    for (const odd of [/\u202e/, /[\u{10000}-\u{10ffff}]/u, /<img/, /__proto__/, /^.{200}$/su])
      expect(texts.some((text) => odd.test(text))).toBe(true);
  });

  it('of plans take an order under each, and are of every kind', () => {
    const kinds = new Set<string>();
    fc.assert(
      fc.property(plans(), (plan) => {
        expect(decide({ type: 'Place', orderId: 'o-1', details: {}, plan }, undefined)._tag).toBe('Right');
        for (const { undo } of plan.steps) kinds.add(undo);
        kinds.add(plan.deadlineMs === undefined ? 'no deadline' : 'deadline');
      }),
    );
    expect([...kinds].sort()).toEqual(['deadline', 'irreversible', 'no deadline', 'nothing', 'undo']);
  });

  it('S15 of commands, fitting or not, make no decision throw', () => {
    const came = new Set<string>();
    const anything = histories().chain((history) => fc.tuple(fc.constant(history), commands(history.plan), fc.nat()));
    fc.assert(
      fc.property(anything, ([{ units }, command, n]) => {
        const decided = decide(command, units[n % units.length]?.after);
        came.add(decided._tag === 'Left' ? decided.left.code : decided.right.length > 0 ? 'something' : 'nothing');
      }),
      { numRuns: 1_500 },
    );
    expect([...came].sort()).toEqual(['EXISTS', 'INVALID', 'NOT_DEAD', 'TOO_LATE', 'nothing', 'something']);
  });

  it('of histories shrink to the smallest schedule that still does it', () => {
    const found = fc.check(
      fc.property(histories(), ({ order }) => order.status !== 'cancelled'),
      { seed: 3, numRuns: 200 },
    );
    expect(found.failed).toBe(true);
    expect(found.counterexample?.[0].units.map(({ command }) => command.type)).toHaveLength(2);
  });

  it('R7 of retry policies say what they do, and end', () => {
    const kinds = new Set<string>();
    const errors = Array.from({ length: 60 }, () => Object.assign(new Error('503'), { code: 'TIMEOUT' }));
    fc.assert(
      fc.property(retryPolicies(), fc.integer(), (policy, seed) => {
        expect(policy.explain()).not.toBe('');
        const schedule = policy.simulate(errors, seed);
        expect(schedule.length).toBeLessThanOrEqual(50);
        for (const { kind } of policy.rules) kinds.add(kind);
      }),
      { numRuns: 300 },
    );
    for (const kind of [
      'fixed',
      'linear',
      'exponential',
      'decorrelated',
      'never',
      'maxAttempts',
      'maxElapsedMs',
      'retryIf',
      'honourRetryAfter',
      'orElse',
    ])
      expect(kinds).toContain(kind);
  });

  it('take fast-check as its default export or as its namespace', () => {
    expect(fc.sample(arbitraries(all).plans(), { numRuns: 1, seed: 1 })).toEqual(fc.sample(plans(), { numRuns: 1, seed: 1 }));
  });
});
