import { describe, expect, it } from 'vitest';
import type { Redaction } from '../types';
import { exactClock, lasting, markAt, newMarks, sentenceOf } from './redactions';

const mark = (id: string, from_ms: number, to_ms: number): Redaction => ({
  id,
  from_ms,
  to_ms,
  kind: 'private_information',
  sentence: 'Private information was said here.',
  by_role: 'host',
  at: '2026-01-01T00:00:00.000Z',
});

describe('what was taken out', () => {
  it('is said with its length, who decided and why', () => {
    expect(sentenceOf(mark('1', 1_000, 4_200))).toBe(
      '3.2 seconds were taken out here by the host. Private information was said here.',
    );
  });
  it('has a length and a place as exact as it was cut', () => {
    expect([lasting(1_000), lasting(59_900), lasting(150_000)]).toEqual([
      '1 second',
      '59.9 seconds',
      '3 minutes',
    ]);
    expect([exactClock(0), exactClock(12_340), exactClock(61_960)]).toEqual(['0:00.0', '0:12.3', '1:02.0']);
  });
  it('is found where one listens', () => {
    const marks = [mark('1', 1_000, 2_000), mark('2', 5_000, 6_000)];
    expect(markAt(marks, 5_999)?.id).toBe('2');
    expect(markAt(marks, 2_000)).toBeNull();
    expect(newMarks(marks, new Set(['1'])).map(({ id }) => id)).toEqual(['2']);
  });
});
