// Which pauses of a replay may be jumped over. Pure: who spoke when, how loud it was, what must be noticed.

/** A stretch of the timeline in milliseconds: [from, to). */
export type Stretch = readonly [fromMs: number, toMs: number];

export interface Peaks {
  step_ms: number;
  start_ms: number;
  /** 0 to 255. */
  peaks: number[];
}

/** Shorter pauses belong to speech. */
const PAUSE_MS = 700;
/** What is left of a pause: the last word fades, and the next one isn't cut. */
const AFTER_WORD_MS = 250;
const BEFORE_WORD_MS = 200;
/** Louder than this is heard: laughter, music, applause, even where nobody was noticed to speak. */
const HEARD_PEAK = 12;

/**
 * The stretches to jump over, in order. `marks` are ranges that were taken out: they are silent, and played all the
 * same, so that nobody misses that something is missing.
 */
export function pausesOf(
  speech: Stretch[],
  peaks: Peaks | null,
  marks: Stretch[],
  [fromMs, toMs]: Stretch,
): Stretch[] {
  const kept = [...speech, ...marks, ...loudStretches(peaks)];
  const pauses: Stretch[] = [];
  let quietFromMs = fromMs;
  // What ends is heard to end.
  const last: Stretch = [toMs - PAUSE_MS, toMs];
  for (const [begin, end] of [...kept, last].sort(([a], [b]) => a - b)) {
    const until = Math.min(begin, toMs);
    if (until - quietFromMs >= PAUSE_MS) pauses.push([quietFromMs + AFTER_WORD_MS, until - BEFORE_WORD_MS]);
    quietFromMs = Math.max(quietFromMs, end);
  }
  return pauses;
}

/** Where to jump to from here, or null to play on. */
export function jumpFrom(pauses: Stretch[], positionMs: number): number | null {
  let [low, high] = [0, pauses.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (pauses[middle]![1] <= positionMs) low = middle + 1;
    else high = middle;
  }
  const pause = pauses[low];
  return pause && pause[0] <= positionMs ? pause[1] : null;
}

function loudStretches(peaks: Peaks | null): Stretch[] {
  // A coarse step can't say where in it the sound was: most of it may be a pause.
  if (!peaks || peaks.step_ms > PAUSE_MS / 2) return [];
  const { step_ms: stepMs, start_ms: startMs } = peaks;
  return peaks.peaks.flatMap((peak, index): Stretch[] => {
    const at = startMs + index * stepMs;
    return peak >= HEARD_PEAK ? [[at, at + stepMs]] : [];
  });
}
