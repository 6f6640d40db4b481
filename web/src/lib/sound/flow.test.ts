import { describe, expect, it } from 'vitest';
import { Flow } from './flow';

/** When it is said to be silent, if packets come at these times and each time another connection begins. */
function silences(flow: Flow, untilMs: number, comes: (nowMs: number) => boolean): number[] {
  const said: number[] = [];
  let packets = 0;
  for (let now = 0; now < untilMs; now += 100) {
    if (comes(now)) packets += 1;
    if (!flow.isSilent(packets, now)) continue;
    said.push(now);
    flow.begin();
    packets = 0;
  }
  return said;
}

describe('sound that comes from the stage', () => {
  it('is there while a packet comes every 400 ms, and with two of them lost', () => {
    expect(silences(new Flow(), 60_000, (now) => now % 400 === 0)).toEqual([]);
    expect(silences(new Flow(), 60_000, (now) => now % 1_200 === 0)).toEqual([]);
  });

  it('is missed 1.2 s after the last packet, once', () => {
    expect(silences(new Flow(), 60_000, (now) => now <= 20_000)).toEqual([21_200]);
  });

  it('is not missed before it ever came', () => {
    expect(silences(new Flow(), 60_000, () => false)).toEqual([]);
  });

  it('is missed ever less often when it stops again and again', () => {
    const flow = new Flow();
    const said: number[] = [];
    // One packet on each connection, and then nothing.
    for (let now = 0; now < 300_000; now += 100) {
      if (!flow.isSilent(1, now)) continue;
      said.push(now);
      flow.begin();
    }
    const pauses = said.slice(1).map((at, index) => at - said[index]!);
    expect(said[0]).toBe(1_200);
    expect(pauses.at(-1)).toBeGreaterThan(25_000);
    expect(said.length).toBeLessThan(20);
  });

  it('is missed as soon as ever after it came for a while', () => {
    const flow = new Flow();
    const falls = [1_000, 5_000, 60_000];
    const said = silences(flow, 90_000, (now) => falls.every((at) => now <= at || now > at + 3_000));
    expect(said.at(-1)! - 60_000).toBe(1_200);
  });
});
