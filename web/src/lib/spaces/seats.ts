// Who spoke when, over any length: the server tells of ten minutes at once.
import type { Seats } from '../types';

export const SEATS_MS_MAX = 600_000;

/** [fromMs, toMs) in pieces that the server answers. */
export function piecesOf(fromMs: number, toMs: number): [number, number][] {
  const pieces: [number, number][] = [];
  let from = Math.max(0, Math.floor(fromMs));
  const end = Math.ceil(toMs);
  do {
    const to = Math.min(end, from + SEATS_MS_MAX);
    pieces.push([from, to]);
    from = to;
  } while (from < end);
  return pieces;
}

/** The answers for adjoining pieces as one: nobody is named twice, and a word across a border stays one stretch. */
export function joined(answers: Seats[]): Seats {
  const seats = new Map(answers.flatMap((answer) => answer.seats).map((seat) => [seat.seat, seat]));
  const speech: Seats['speech'] = [];
  const latest = new Map<number, Seats['speech'][number]>();
  for (const [seat, from, to] of answers.flatMap((answer) => answer.speech)) {
    const before = latest.get(seat);
    if (before && from <= before[2]) {
      before[2] = Math.max(before[2], to);
      continue;
    }
    const stretch: Seats['speech'][number] = [seat, from, to];
    latest.set(seat, stretch);
    speech.push(stretch);
  }
  return {
    roster: Math.max(0, ...answers.map((answer) => answer.roster)),
    seats: [...seats.values()].sort((a, b) => a.seat - b.seat),
    speech,
  };
}
