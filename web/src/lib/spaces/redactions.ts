// What was taken out of a Space's sound, in words. Pure; all times in ms on the Space's timeline.
import type { RedactReason, Redaction } from '../types';
import { plural } from '../words';

export const REASONS: { value: RedactReason; label: string; means: string }[] = [
  {
    value: 'private_information',
    label: 'Private information',
    means: 'An address, a telephone number, where somebody is now.',
  },
  { value: 'unlawful', label: 'It may not be published', means: 'A threat, a slur, somebody’s work.' },
  { value: 'other', label: 'Another reason', means: 'People are told that it was taken out, and no more.' },
];

const BY: Record<Redaction['by_role'], string> = {
  host: 'the host',
  co_host: 'a co-host',
  moderator: 'a moderator',
  speaker: 'who spoke',
  operator: 'who runs this server',
};

/** 3 200 → "3.2 seconds". */
export function lasting(ms: number): string {
  const seconds = Math.round(ms / 100) / 10;
  return seconds < 60
    ? `${seconds} ${seconds === 1 ? 'second' : 'seconds'}`
    : plural(Math.round(seconds / 60), 'minute');
}

/** 12 340 → "0:12.3": as exactly as anything is taken out. */
export function exactClock(ms: number): string {
  const tenths = Math.max(0, Math.round(ms / 100));
  const seconds = Math.floor(tenths / 10) % 60;
  const minutes = Math.floor(tenths / 600);
  return `${minutes}:${String(seconds).padStart(2, '0')}.${tenths % 10}`;
}

export function sentenceOf(mark: Redaction): string {
  return `${lasting(mark.to_ms - mark.from_ms)} were taken out here by ${BY[mark.by_role]}. ${mark.sentence}`;
}

export function markAt(marks: Redaction[], ms: number): Redaction | null {
  return marks.find((mark) => mark.from_ms <= ms && ms < mark.to_ms) ?? null;
}

/** Those that weren't known before. */
export function newMarks(marks: Redaction[], known: ReadonlySet<string>): Redaction[] {
  return marks.filter((mark) => !known.has(mark.id));
}
