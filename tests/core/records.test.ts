import { expect, it } from 'vitest';
import { eventId, isoTime } from '../../src/core/envelope.ts';
import { isOpen } from '../../src/core/records.ts';

it('an event is known by its stream and version', () => {
  expect(eventId('order-1', 7)).toBe('order-1@7');
});

it('a time is ISO 8601 in UTC, whatever time was asked for before', () => {
  const times = [0, 1_700_000_000_000, 1_700_000_000_000, 1, 0].map(isoTime);
  expect(times).toEqual([
    '1970-01-01T00:00:00.000Z',
    '2023-11-14T22:13:20.000Z',
    '2023-11-14T22:13:20.000Z',
    '1970-01-01T00:00:00.001Z',
    '1970-01-01T00:00:00.000Z',
  ]);
});

it('a parked delivery is open while it is scheduled or dead', () => {
  const states = ['scheduled', 'dead', 'done', 'discarded', 'superseded'] as const;
  expect(states.filter(isOpen)).toEqual(['scheduled', 'dead']);
});
