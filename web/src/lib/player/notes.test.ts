import { expect, it } from 'vitest';
import { Notes } from './notes';

const note = (seat: number, roster = 0, calls: string[] = []) => ({
  speaking: [seat],
  listeners: 0,
  listeners_estimated: 0,
  reactions: {},
  roster,
  gap: false,
  calls,
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

it('keeps the calls that came last, each once', () => {
  const notes = new Notes();
  for (let second = 0; second < 100; second++)
    for (const calls of [[`call ${second}`], [], [`call ${second}`, 'always']])
      notes.remember({ atSeconds: second, note: note(1, 0, calls) });
  expect(notes.calls).toHaveLength(64);
  expect(notes.calls).toContain('call 99');
  const before = notes.calls;
  notes.remember({ atSeconds: 100, note: note(1, 0, ['call 99']) });
  expect(notes.calls).toBe(before);
});
