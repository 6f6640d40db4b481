// Which stretch of a Space becomes a clip. Pure; all times in ms on the Space's timeline.

export const CLIP_MS_MIN = 1_000;
export const CLIP_MS_MAX = 120_000;
const CLIP_MS_USUAL = 30_000;
const AROUND_MS = 60_000;

export interface Range {
  fromMs: number;
  toMs: number;
}

export interface Limits {
  minMs: number;
  maxMs: number;
  usualMs: number;
}

const OF_CLIPS: Limits = { minMs: CLIP_MS_MIN, maxMs: CLIP_MS_MAX, usualMs: CLIP_MS_USUAL };

/** The last 30 s before `atMs`; near the beginning, the first 30 s. */
export function usualRange(firstMs: number, edgeMs: number, atMs: number, { usualMs } = OF_CLIPS): Range {
  const at = Math.max(firstMs, Math.min(atMs, edgeMs));
  const fromMs = Math.max(firstMs, at - usualMs);
  const toMs = Math.min(edgeMs, Math.max(at, fromMs + usualMs));
  return { fromMs: Math.round(fromMs), toMs: Math.round(toMs) };
}

/** What is shown around the range, for the handles to move in. */
export function windowAround(range: Range, firstMs: number, edgeMs: number): Range {
  return {
    fromMs: Math.max(firstMs, range.fromMs - AROUND_MS),
    toMs: Math.min(edgeMs, range.toMs + AROUND_MS),
  };
}

/** Moves the start; the end gives way where the clip would be too short or too long. */
export function withStart(range: Range, fromMs: number, within: Range, { minMs, maxMs } = OF_CLIPS): Range {
  const start = clamp(fromMs, within.fromMs, within.toMs - minMs);
  return { fromMs: start, toMs: clamp(range.toMs, start + minMs, start + maxMs) };
}

export function withEnd(range: Range, toMs: number, within: Range, { minMs, maxMs } = OF_CLIPS): Range {
  const end = clamp(toMs, within.fromMs + minMs, within.toMs);
  return { fromMs: clamp(range.fromMs, end - maxMs, end - minMs), toMs: end };
}

const clamp = (value: number, low: number, high: number): number => Math.max(low, Math.min(value, high));
