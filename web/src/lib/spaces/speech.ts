// Who spoke when, put together from several answers.
import type { Seats } from '../types';

type Speech = Seats['speech'];

/** [from, to) in stretches of at most so many milliseconds. */
export function pieces(fromMs: number, toMs: number, longestMs: number): [number, number][] {
  const found: [number, number][] = [];
  for (let at = fromMs; at < toMs; at += longestMs) found.push([at, Math.min(at + longestMs, toMs)]);
  return found;
}

/** Two neighbouring stretches as one: a turn that goes on over the border is one turn. */
export function joined(earlier: Speech, later: Speech): Speech {
  const all: Speech = [...earlier];
  for (const turn of later) {
    const [seat, start, end] = turn;
    const at = all.map(([other]) => other).lastIndexOf(seat);
    const before = all[at];
    if (before && before[2] >= start) all[at] = [seat, before[1], Math.max(before[2], end)];
    else all.push(turn);
  }
  return all;
}
