import { describe, expect, it } from 'vitest';
import { follows, looksEveryMs, spreadMs } from './freshness';
import { holdsSinceStart } from './hold';
import { stillPromised, withPromised } from './promised';

describe('own reactions', () => {
  it('show at once, and once', () => {
    expect(withPromised({ '👏': 4 }, { '👏': 5, '🔥': 1 })).toEqual({ '👏': 5, '🔥': 1 });
    expect(withPromised({ '👏': 7 }, { '👏': 5 })).toEqual({ '👏': 7 });
    expect(stillPromised({ '👏': 5 }, { '👏': 5, '🔥': 1 })).toEqual({ '🔥': 1 });
  });
});

describe('how often a Space is looked at', () => {
  const you = { role: 'listener', seat: null, muted: false, asking: false, invited_as: null } as const;
  const never = {
    removed: false,
    removed_until: null,
    muted_until: null,
    consented: false,
    has_spoken: false,
    call_key: null,
  };
  const nobody = { ...you, ...never, can: [], may_redact: false };
  const few = { listener_count: 3, listener_count_estimated: 0 };
  const live = { ...few, state: 'live', recorded: true, replay: null, ended_at: null, you: nobody } as const;
  const looker = { told: false, signedIn: true, visible: true, nowMs: 1_000_000 };

  it('is soon for whoever may be invited', () => {
    expect(looksEveryMs(live, looker)).toBe(5_000);
    expect(looksEveryMs(live, { ...looker, signedIn: false })).toBe(30_000);
    expect(looksEveryMs(live, { ...looker, visible: false })).toBe(30_000);
    const onStage = { ...live, you: { ...nobody, seat: 2 } };
    expect(looksEveryMs(onStage, { ...looker, visible: false })).toBe(5_000);
    expect(looksEveryMs(onStage, { ...looker, told: true, visible: false })).toBe(60_000);
  });

  it('is replaced by events for who is signed in and looks, or takes part', () => {
    const onStage = { ...live, you: { ...nobody, seat: 2 } };
    expect(follows(live, looker)).toBe(true);
    expect(follows(live, { ...looker, signedIn: false })).toBe(false);
    expect(follows(live, { ...looker, visible: false })).toBe(false);
    expect(follows(onStage, { ...looker, visible: false })).toBe(true);
    expect(follows({ ...onStage, state: 'ended' }, looker)).toBe(false);
  });

  it('is no more often in all, however many listen', () => {
    const many = { ...live, listener_count: 30_000, listener_count_estimated: 6_000 };
    expect(looksEveryMs(many, looker)).toBe(360_000);
    expect(looksEveryMs(many, { ...looker, signedIn: false })).toBe(360_000);
    expect(looksEveryMs({ ...many, you: { ...nobody, asking: true } }, looker)).toBe(5_000);
    expect(spreadMs(many)).toBe(360_000);
    expect(follows(many, looker)).toBe(false);
    expect(follows({ ...many, you: { ...nobody, asking: true } }, looker)).toBe(true);
  });

  it('ends when nothing more comes', () => {
    const ended = { ...live, state: 'ended', ended_at: new Date(990_000).toISOString() } as const;
    expect(looksEveryMs(ended, looker)).toBe(3_000);
    expect(looksEveryMs(ended, { ...looker, nowMs: 2_000_000 })).toBeNull();
    expect(looksEveryMs({ ...ended, recorded: false }, looker)).toBeNull();
  });
});

describe('the hold', () => {
  it('knows a Space that has had no host yet', () => {
    const start = '2027-01-15T12:00:00.000Z';
    expect(holdsSinceStart(start, '2027-01-15T12:03:00.000Z')).toBe(true);
    expect(holdsSinceStart(start, '2027-01-15T12:03:04.000Z')).toBe(false);
  });
});
