import { expect, it } from 'vitest';
import { Notes } from './notes';

const note = (seat: number, roster = 0) => ({
  speaking: [seat],
  listeners: 0,
  listeners_estimated: 0,
  reactions: {},
  roster,
  gap: false,
});

it('gives what was said last, in whatever order it came', () => {
  const notes = new Notes();
  expect(notes.at(5)).toBeNull();
  for (const [seconds, seat] of [
    [1, 1],
    [4, 4],
    [2, 2],
    [4, 5],
  ] as const)
    notes.remember({ atSeconds: seconds, note: note(seat) });
  expect([0.5, 1, 3.9, 4, 99].map((seconds) => notes.at(seconds)?.speaking[0])).toEqual([
    undefined,
    1,
    2,
    5,
    5,
  ]);
});

it('knows the newest roster also when what came last was said before', () => {
  const notes = new Notes();
  notes.remember({ atSeconds: 60, note: note(1, 4) });
  notes.remember({ atSeconds: 10, note: note(1, 2) });
  expect(notes.roster).toBe(4);
});
