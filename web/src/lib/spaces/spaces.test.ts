import { describe, expect, it } from 'vitest';
import { holdsSinceStart } from './hold';
import { stillPromised, withPromised } from './promised';

describe('own reactions', () => {
  it('show at once, and once', () => {
    expect(withPromised({ '👏': 4 }, { '👏': 5, '🔥': 1 })).toEqual({ '👏': 5, '🔥': 1 });
    expect(withPromised({ '👏': 7 }, { '👏': 5 })).toEqual({ '👏': 7 });
    expect(stillPromised({ '👏': 5 }, { '👏': 5, '🔥': 1 })).toEqual({ '🔥': 1 });
  });
});

describe('the hold', () => {
  it('knows a Space that has had no host yet', () => {
    const start = '2027-01-15T12:00:00.000Z';
    expect(holdsSinceStart(start, '2027-01-15T12:03:00.000Z')).toBe(true);
    expect(holdsSinceStart(start, '2027-01-15T12:03:04.000Z')).toBe(false);
  });
});
