import { expect, it } from 'vitest';
import { isOrderfoldError, OrderfoldError } from '../../src/core/errors.ts';

it('a fault says by its code whether the same call may succeed later, unless told', () => {
  const codes = [
    'CONFIG',
    'UNDECODABLE',
    'LEASE_LOST',
    'CLOSED',
    'VERSION_CONFLICT',
    'STORE',
    'TRANSPORT',
    'HANDLER',
    'HANDLER_TIMEOUT',
    'BUSY',
  ];
  const retryable = codes.filter((code) => new OrderfoldError(code as 'STORE', 'x').retryable);
  expect(retryable).toEqual(['VERSION_CONFLICT', 'STORE', 'TRANSPORT', 'HANDLER', 'HANDLER_TIMEOUT', 'BUSY']);
  expect(new OrderfoldError('STORE', 'x', { retryable: false }).retryable).toBe(false);
  expect(new OrderfoldError('CONFIG', 'x', { retryable: true }).retryable).toBe(true);
});

it('a fault keeps its name and its cause, also one that is undefined, and has none where none is given', () => {
  const fault = new OrderfoldError('STORE', 'the disk is full', { cause: 'ENOSPC' });
  expect([fault.name, fault.message, fault.code, fault.cause]).toEqual(['OrderfoldError', 'the disk is full', 'STORE', 'ENOSPC']);
  expect('cause' in new OrderfoldError('STORE', 'x', { cause: undefined })).toBe(true);
  expect('cause' in new OrderfoldError('STORE', 'x')).toBe(false);
});

it('a fault is recognised by its mark and its code, also one that another copy of the package made', () => {
  const fault = new OrderfoldError('STORE', 'x');
  const foreign = Object.assign(new Error('x'), { 'orderfold.error': true, code: 'STORE' });
  for (const one of [fault, foreign]) {
    expect([isOrderfoldError(one), isOrderfoldError(one, 'STORE'), isOrderfoldError(one, 'BUSY')]).toEqual([true, true, false]);
  }
  for (const other of [undefined, null, 'orderfold.error', 7, Object.assign(new Error('x'), { code: 'STORE' }), () => fault]) {
    expect(isOrderfoldError(other)).toBe(false);
    expect(isOrderfoldError(other, 'STORE')).toBe(false);
  }
});
