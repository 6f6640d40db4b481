import { describe, expect, it } from 'vitest';
import { holdsSinceStart } from './hold';
import { stillPromised, withPromised } from './promised';
import { joined, piecesOf } from './seats';

describe('seats in pieces', () => {
  it('asks for at most ten minutes at once', () => {
    expect(piecesOf(-3, 1_000.2)).toEqual([[0, 1_001]]);
    expect(piecesOf(500, 1_300_000)).toEqual([
      [500, 600_500],
      [600_500, 1_200_500],
      [1_200_500, 1_300_000],
    ]);
    expect(piecesOf(5, 5)).toEqual([[5, 5]]);
  });

  it('joins the answers', () => {
    const seat = (number: number) => ({ seat: number, account: null, sanctioned: false });
    const first = {
      roster: 3,
      seats: [seat(1), seat(2)],
      speech: [[1, 0, 600_000] as [number, number, number]],
    };
    const second = {
      roster: 4,
      seats: [seat(2), seat(3)],
      speech: [
        [1, 600_000, 601_000],
        [3, 600_500, 602_000],
        [1, 700_000, 701_000],
      ] as [number, number, number][],
    };
    expect(joined([first, second])).toEqual({
      roster: 4,
      seats: [seat(1), seat(2), seat(3)],
      speech: [
        [1, 0, 601_000],
        [3, 600_500, 602_000],
        [1, 700_000, 701_000],
      ],
    });
    expect(first.speech).toEqual([[1, 0, 600_000]]);
  });
});

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
