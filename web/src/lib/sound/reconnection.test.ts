import { describe, expect, it } from 'vitest';
import { FIRST, after, keptForS, offered, type Reconnection, type Sign } from './reconnection';

const STEADY: Reconnection = { phase: 'steady', attempt: 0, lostMs: null, dueMs: null, offline: false };

/** What becomes of a state when offers are made as they fall due, and none is answered, for so long. */
function unanswered(begin: Reconnection, forMs: number, eachTakesMs: number): number[] {
  const offers: number[] = [];
  let state = begin;
  for (let now = 0; now < forMs; now += 10) {
    if (state.phase === 'trying' && now - offers.at(-1)! >= eachTakesMs)
      state = after(state, 'unanswered', now, 0.99);
    if (state.dueMs !== null && state.dueMs <= now && state.phase !== 'trying') {
      offers.push(now);
      state = offered(state);
    }
  }
  return offers;
}

describe('coming back on stage', () => {
  it('begins with an offer, and is steady when the connection is up', () => {
    let state = offered(FIRST);
    state = after(state, 'answered', 100, 0);
    expect(state.phase).toBe('settling');
    state = after(state, 'up', 300, 0);
    expect(state).toEqual(STEADY);
  });

  it('gives a short disturbance the chance to mend itself', () => {
    const shaky = after(STEADY, 'shaky', 1_000, 0);
    expect(shaky.phase).toBe('shaky');
    expect(shaky.dueMs).toBeLessThanOrEqual(2_000);
    expect(after(shaky, 'up', 1_200, 0)).toEqual(STEADY);
  });

  it('offers at once when the connection has failed or the stage is a new one', () => {
    expect(after(STEADY, 'down', 5_000, 0.5).dueMs).toBe(5_000);
    expect(after(STEADY, 'stranded', 5_000, 0.99).dueMs).toBeLessThan(5_300);
    expect(after(STEADY, 'silent', 5_000, 0.99)).toMatchObject({ phase: 'resting', lostMs: 5_000 });
    expect(after(STEADY, 'silent', 5_000, 0.99).dueMs).toBeLessThan(5_300);
  });

  it('does not offer twice for one loss that is told in two ways', () => {
    const trying = offered(after(STEADY, 'down', 5_000, 0));
    expect(after(trying, 'stranded', 5_050, 0)).toEqual(trying);
    expect(after(trying, 'shaky', 5_060, 0)).toEqual(trying);
  });

  it('tries again within 2 s for as long as the seat is kept, then more and more patiently', () => {
    const offers = unanswered(FIRST, 29_000, 10);
    const pauses = offers.slice(1).map((at, index) => at - offers[index]!);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(1_600);
    expect(offers.length).toBeLessThan(30);
    const late = unanswered({ ...FIRST, lostMs: -60_000 }, 60_000, 10);
    expect(late.at(-1)! - late.at(-2)!).toBeGreaterThan(5_000);
  });

  it('offers anew the moment the network is back, whatever it was waiting for', () => {
    const waiting = after({ ...STEADY, attempt: 9, phase: 'resting', lostMs: 0 }, 'offline', 1_000, 0);
    expect(after(waiting, 'online', 7_777, 0).dueMs).toBe(7_777);
    expect(after(STEADY, 'online', 7_777, 0)).toMatchObject({ dueMs: 7_777, lostMs: null });
    const trying = after(offered(STEADY), 'online', 7_777, 0);
    expect(trying).toMatchObject({ phase: 'resting', dueMs: 7_777 });
    // The offer that was given up with it is not counted against the new one.
    expect(after(trying, 'unanswered', 7_778, 0)).toEqual(trying);
  });

  it('believes the browser that there is no network, and sees for itself', () => {
    const told = after(STEADY, 'offline', 1_000, 0);
    expect(told).toMatchObject({ phase: 'shaky', lostMs: 1_000, offline: true });
    expect(told.dueMs).toBeLessThan(2_000);
  });

  it('gives up on a connection that was answered and never comes up', () => {
    const settling = after(offered(FIRST), 'answered', 1_000, 0);
    expect(settling.dueMs).toBe(5_000);
  });

  it('says how long the seat is kept', () => {
    const lost = after(STEADY, 'down', 10_000, 0);
    expect(keptForS(STEADY, 10_000)).toBeNull();
    expect(keptForS(lost, 10_001)).toBe(30);
    expect(keptForS(lost, 39_500)).toBe(1);
    expect(keptForS(lost, 99_000)).toBe(0);
  });

  it('always has something planned, or is waiting for an answer, unless it is steady', () => {
    const signs: Sign[] = [
      'up',
      'shaky',
      'down',
      'stranded',
      'silent',
      'answered',
      'unanswered',
      'offline',
      'online',
    ];
    let state = FIRST;
    let seed = 7;
    for (let now = 0; now < 200_000; now += 40) {
      seed = (seed * 48_271) % 2_147_483_647;
      const isDue = state.dueMs !== null && state.dueMs <= now && state.phase !== 'trying';
      state = isDue ? offered(state) : after(state, signs[seed % signs.length]!, now, (seed % 97) / 97);
      if (state.phase !== 'steady' && state.phase !== 'trying') expect(state.dueMs).not.toBeNull();
    }
  });
});
