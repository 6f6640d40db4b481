import { describe, expect, it } from 'vitest';
import { TARGET_LAG_S, backoffMs, decide } from './lag';

describe('decide', () => {
  it('plays on at the usual distance from the edge', () => {
    expect(decide(TARGET_LAG_S, false)).toEqual({ rate: 1, jumpToLag: null });
  });

  it('begins to hurry late and stops early, so that the speed does not flutter', () => {
    expect(decide(0.5, false).rate).toBe(1);
    expect(decide(0.7, false).rate).toBeGreaterThan(1);
    expect(decide(0.5, true).rate).toBeGreaterThan(1);
    expect(decide(0.3, true).rate).toBe(1);
  });

  it('jumps after a stall of seconds', () => {
    expect(decide(5, true)).toEqual({ rate: 1, jumpToLag: TARGET_LAG_S });
  });

  it('comes back to the edge from any lag', () => {
    let lag = 2.9;
    let hurrying = false;
    for (let step = 0; step < 1000 && (lag > TARGET_LAG_S || hurrying); step++) {
      const { rate } = decide(lag, hurrying);
      hurrying = rate > 1;
      lag -= (rate - 1) * 0.1;
    }
    expect(lag).toBeLessThanOrEqual(TARGET_LAG_S);
  });
});

describe('backoffMs', () => {
  it('grows, has jitter and has an end', () => {
    expect(backoffMs(0, 0)).toBe(150);
    expect(backoffMs(3, 1)).toBe(2400);
    expect(backoffMs(50, 0.5)).toBe(7500);
  });
});
