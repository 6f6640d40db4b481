import { beforeEach, describe, expect, it } from 'vitest';
import { notePosition, noted, positionIn, type Positions } from './positions';

const HOUR = [0, 3_600_000] as const;

describe('where somebody stopped', () => {
  beforeEach(() => localStorage.clear());

  it('is remembered for each replay, and forgotten when it is through', () => {
    notePosition('1', 600_000, HOUR);
    notePosition('2', 900_000, HOUR);
    expect(positionIn('1', 0)).toBe(600_000);
    notePosition('1', 3_599_000, HOUR);
    expect(positionIn('1', 0)).toBeNull();
    expect(positionIn('2', 0)).toBe(900_000);
  });

  it('is nothing for who has hardly begun, or where the replay begins later now', () => {
    notePosition('1', 4_000, HOUR);
    expect(positionIn('1', 0)).toBeNull();
    notePosition('1', 60_000, HOUR);
    expect(positionIn('1', 90_000)).toBeNull();
  });

  it('does not grow for ever', () => {
    let positions: Positions = [];
    for (let id = 0; id < 200; id++) positions = noted(positions, String(id), 60_000, HOUR);
    expect(positions).toHaveLength(50);
    expect(positions.at(-1)![0]).toBe('199');
  });
});
