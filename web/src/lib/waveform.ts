// From peaks to bars. Pure.

/** The highest peak under each of `bars` bars, from 0 to 1, for the stretch [fromMs, toMs) of the timeline. */
export function barsOf(
  waveform: { step_ms: number; start_ms: number; peaks: number[] },
  fromMs: number,
  toMs: number,
  bars: number,
): number[] {
  const { step_ms: stepMs, start_ms: startMs, peaks } = waveform;
  return Array.from({ length: bars }, (_, bar) => {
    const begin = fromMs + ((toMs - fromMs) * bar) / bars;
    const end = fromMs + ((toMs - fromMs) * (bar + 1)) / bars;
    const first = Math.max(0, Math.floor((begin - startMs) / stepMs));
    const last = Math.max(first + 1, Math.ceil((end - startMs) / stepMs));
    let highest = 0;
    for (let i = first; i < Math.min(last, peaks.length); i++) highest = Math.max(highest, peaks[i]!);
    return highest / 255;
  });
}
