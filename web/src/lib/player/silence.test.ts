import { describe, expect, it } from 'vitest';
import { jumpFrom, pausesOf, type Peaks, type Stretch } from './silence';

const ALL: Stretch = [0, 10_000];

function peaksOf(loud: Stretch[], stepMs = 100): Peaks {
  const peaks = Array.from({ length: 10_000 / stepMs }, (_, index) =>
    loud.some(([from, to]) => from < (index + 1) * stepMs && to > index * stepMs) ? 90 : 2,
  );
  return { step_ms: stepMs, start_ms: 0, peaks };
}

describe('pauses', () => {
  it('are what lies between words, a little less than all of it', () => {
    const speech: Stretch[] = [
      [1_000, 3_000],
      [6_000, 7_000],
    ];
    expect(pausesOf(speech, null, [], ALL)).toEqual([
      [250, 800],
      [3_250, 5_800],
      [7_250, 9_100],
    ]);
  });

  it('of a breath stay', () => {
    expect(
      pausesOf(
        [
          [0, 5_000],
          [5_600, 10_000],
        ],
        null,
        [],
        ALL,
      ),
    ).toEqual([]);
  });

  it('end where anybody speaks, also over one another and out of order', () => {
    const speech: Stretch[] = [
      [4_000, 9_900],
      [0, 2_000],
      [1_000, 1_500],
      [5_000, 6_000],
    ];
    expect(pausesOf(speech, null, [], ALL)).toEqual([[2_250, 3_800]]);
  });

  it('are none where something is heard that nobody said', () => {
    const speech: Stretch[] = [
      [0, 2_000],
      [8_000, 10_000],
    ];
    expect(pausesOf(speech, peaksOf([[2_000, 8_000]]), [], ALL)).toEqual([]);
    expect(pausesOf(speech, peaksOf([]), [], ALL)).toEqual([[2_250, 7_800]]);
    // Too coarse to know: the words decide.
    expect(pausesOf(speech, peaksOf([[0, 2_000]], 5_000), [], ALL)).toEqual([[2_250, 7_800]]);
  });

  it('never hide that something was taken out', () => {
    const marks: Stretch[] = [[4_000, 5_000]];
    const pauses = pausesOf([[0, 2_000]], null, marks, ALL);
    expect(pauses).toEqual([
      [2_250, 3_800],
      [5_250, 9_100],
    ]);
  });

  it('never swallow a word, whatever was said when', () => {
    let seed = 3;
    const chance = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    for (let run = 0; run < 300; run++) {
      const speech = Array.from({ length: 8 }, (): Stretch => {
        const from = Math.floor(chance() * 9_500);
        return [from, from + Math.floor(chance() * 2_000)];
      });
      for (const [from, to] of pausesOf(speech, null, [], ALL)) {
        expect(to).toBeGreaterThan(from);
        expect(speech.some(([begin, end]) => begin < to && end > from)).toBe(false);
      }
    }
  });
});

describe('a jump', () => {
  const pauses: Stretch[] = [
    [250, 800],
    [3_250, 5_800],
  ];

  it('goes to the end of the pause one is in', () => {
    expect(jumpFrom(pauses, 300)).toBe(800);
    expect(jumpFrom(pauses, 3_250)).toBe(5_800);
    expect(jumpFrom(pauses, 5_799)).toBe(5_800);
  });

  it('is none outside of one', () => {
    for (const at of [0, 249, 800, 3_249, 5_800, 99_000]) expect(jumpFrom(pauses, at)).toBeNull();
    expect(jumpFrom([], 5)).toBeNull();
  });
});
