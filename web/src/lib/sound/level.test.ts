import { describe, expect, it } from 'vitest';
import { LevelJudge, meterOf, type Measure, type Verdict } from './level';

/** The verdict after so many seconds of one level. */
function after(seconds: number, measure: Measure): Verdict {
  const judge = new LevelJudge(0);
  let verdict: Verdict = 'waiting';
  for (let now = 0; now <= seconds * 1000; now += 100) verdict = judge.take(measure, now);
  return verdict;
}

describe('a microphone’s level', () => {
  it('is judged fairly', () => {
    expect(after(1, { rms: 0, peak: 0 })).toBe('waiting');
    expect(after(4, { rms: 0, peak: 0 })).toBe('silent');
    expect(after(4, { rms: 0.004, peak: 0.01 })).toBe('quiet');
    expect(after(0.1, { rms: 0.1, peak: 0.4 })).toBe('good');
    expect(after(1, { rms: 0.5, peak: 1 })).toBe('clipping');
  });

  it('forgives one loud word and a pause for breath', () => {
    const judge = new LevelJudge(0);
    expect(judge.take({ rms: 0.5, peak: 1 }, 0)).toBe('good');
    expect(judge.take({ rms: 0, peak: 0 }, 3_000)).toBe('good');
    expect(judge.take({ rms: 0, peak: 0 }, 9_000)).toBe('silent');
  });

  it('moves a meter as ears hear', () => {
    expect(meterOf({ rms: 0, peak: 0 })).toBe(0);
    expect(meterOf({ rms: 1, peak: 1 })).toBe(1);
    expect(meterOf({ rms: 0.1, peak: 1 })).toBeCloseTo(0.667, 2);
  });
});
