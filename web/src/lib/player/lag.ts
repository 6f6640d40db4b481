// How a live player stays close to the edge without anybody hearing it. Pure: the lag comes in, a decision goes out.

export const TARGET_LAG_S = 0.35;
const HURRY_ABOVE_S = 0.6;
const JUMP_ABOVE_S = 3;
export const HURRY_RATE = 1.05;

export interface Decision {
  rate: number;
  /** Seconds behind the edge to jump to, or null to play on. */
  jumpToLag: number | null;
}

/**
 * What to do at this distance from the live edge. Small lags are caught up by playing 5% faster, which nobody
 * notices in speech; after a stall of seconds a jump is kinder than a minute of hurry.
 */
export function decide(lagSeconds: number, isHurrying: boolean): Decision {
  if (lagSeconds > JUMP_ABOVE_S) return { rate: 1, jumpToLag: TARGET_LAG_S };
  const hurry = isHurrying ? lagSeconds > TARGET_LAG_S : lagSeconds > HURRY_ABOVE_S;
  return { rate: hurry ? HURRY_RATE : 1, jumpToLag: null };
}

/** A server that starts anew loses all its listeners at once; each comes back at a moment of its own. */
export const SPREAD_MS = 1_500;

/** How long to wait before the n-th attempt to reconnect (from 0), with jitter in [0, 1). */
export function backoffMs(attempt: number, jitter: number): number {
  return Math.min(10_000, 300 * 2 ** attempt) * (0.5 + jitter / 2);
}
