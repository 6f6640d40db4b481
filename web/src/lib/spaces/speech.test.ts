import { afterEach, expect, test, vi } from 'vitest';
import { getSeats } from '../api/spaces';
import { joined, pieces } from './speech';

afterEach(() => vi.unstubAllGlobals());

test('a long stretch is asked for in pieces that meet', () => {
  expect(pieces(5, 25, 10)).toEqual([
    [5, 15],
    [15, 25],
  ]);
  expect(pieces(0, 11, 10)).toEqual([
    [0, 10],
    [10, 11],
  ]);
  expect(pieces(3, 3, 10)).toEqual([]);
});

test('a turn over the border is one turn, another seat’s is its own', () => {
  const earlier: [number, number, number][] = [
    [1, 0, 10],
    [2, 4, 8],
  ];
  expect(
    joined(earlier, [
      [1, 10, 12],
      [2, 11, 12],
    ]),
  ).toEqual([
    [1, 0, 12],
    [2, 4, 8],
    [2, 11, 12],
  ]);
});

test('no request is longer than the server allows', async () => {
  const asked: string[] = [];
  vi.stubGlobal('fetch', (path: string) => {
    asked.push(path);
    return Promise.resolve(new Response(JSON.stringify({ roster: 1, seats: [], speech: [[1, 0, 5]] })));
  });
  const seats = await getSeats('7', 0, 1_500_000);
  expect(asked.map((path) => path.split('?')[1])).toEqual([
    'from_ms=0&to_ms=600000',
    'from_ms=600000&to_ms=1200000',
    'from_ms=1200000&to_ms=1500000',
  ]);
  expect(seats.speech).toEqual([[1, 0, 5]]);
});
