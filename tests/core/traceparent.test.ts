import { describe, expect, it } from 'vitest';
import { isTraceparent } from '../../src/core/traceparent.ts';

const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
const span = '00f067aa0ba902b7';

describe('isTraceparent', () => {
  it.each(['00', '01', 'ff'])('takes version 00 with flags %s', (flags) => {
    expect(isTraceparent(`00-${trace}-${span}-${flags}`)).toBe(true);
  });

  it.each([
    ['another version', `01-${trace}-${span}-01`],
    ['a version that is none', `ff-${trace}-${span}-01`],
    ['a trace id of zeros', `00-${'0'.repeat(32)}-${span}-01`],
    ['a parent id of zeros', `00-${trace}-${'0'.repeat(16)}-01`],
    ['capitals', `00-${trace.toUpperCase()}-${span}-01`],
    ['a trace id that is too short', `00-${trace.slice(1)}-${span}-01`],
    ['a parent id that is too long', `00-${trace}-${span}0-01`],
    ['no flags', `00-${trace}-${span}`],
    ['something after it', `00-${trace}-${span}-01-more`],
    ['a line end after it', `00-${trace}-${span}-01\n`],
    ['space before it', ` 00-${trace}-${span}-01`],
    ['two of them', `00-${trace}-${span}-01, 00-${trace}-${span}-01`],
    ['no text', ''],
    ['an array of one', [`00-${trace}-${span}-01`]],
    ['nothing', undefined],
  ])('refuses %s', (_, value) => {
    expect(isTraceparent(value)).toBe(false);
  });
});
