import { describe, expect, it } from 'vitest';
import { categoryLabel, endOf, ENDS, mayModerate } from './moderation';

describe('the end of a sanction', () => {
  it.each([
    ['hour', '2027-01-01T01:00:00.000Z'],
    ['day', '2027-01-02T00:00:00.000Z'],
    ['week', '2027-01-08T00:00:00.000Z'],
    ['month', '2027-01-31T00:00:00.000Z'],
    ['never', undefined],
  ] as const)('%s', (end, expected) => {
    expect(endOf(end, '', Date.parse('2027-01-01T00:00:00Z'))).toBe(expected);
  });
  it('is any time one chooses, in one’s own zone', () => {
    const own = '2027-06-01T12:30';
    expect(endOf('own', own, 0)).toBe(new Date(own).toISOString());
    expect(new Set(ENDS.map((one) => one.value)).size).toBe(6);
  });
});

describe('words', () => {
  it('has one for each category', () => expect(categoryLabel('legal')).toBe('Against the law'));
  it('knows who moderates', () => {
    expect(['member', 'moderator', 'owner', null].map(mayModerate)).toEqual([false, true, true, false]);
  });
});
