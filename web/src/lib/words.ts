// Numbers, times and names as people read them. Pure: the present time is an argument.
import type { Account } from './mastodon-types';
import type { Space } from './types';

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

export function ago(time: string, nowMs: number): string {
  const seconds = (Date.parse(time) - nowMs) / 1000;
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) {
      return new Intl.RelativeTimeFormat('en', { numeric: 'auto' }).format(Math.trunc(seconds / size), unit);
    }
  }
  return 'just now';
}

export function dateAndTime(time: string): string {
  return new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(time));
}

/** 3 725 000 → "1:02:05". */
export function clock(ms: number): string {
  const whole = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes, seconds] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = `${String(seconds).padStart(2, '0')}`;
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`;
}

/** The same for a screen reader: "1 minute 5 seconds". */
export function spokenClock(ms: number): string {
  const whole = Math.max(0, Math.floor(ms / 1000));
  const parts: [number, string][] = [
    [Math.floor(whole / 3600), 'hour'],
    [Math.floor(whole / 60) % 60, 'minute'],
    [whole % 60, 'second'],
  ];
  const said = parts.filter(([n]) => n > 0).map(([n, unit]) => `${n} ${unit}${n === 1 ? '' : 's'}`);
  return said.join(' ') || 'the beginning';
}

export const count = (n: number): string => new Intl.NumberFormat('en').format(n);

export const plural = (n: number, one: string, many = `${one}s`): string =>
  `${count(n)} ${n === 1 ? one : many}`;

/** Two numbers, for they are known in two ways: who is connected is counted, who listens by HLS is estimated. */
export function listeners(connected: number, estimated: number): string {
  const exact = plural(connected, 'listener');
  return estimated > 0 ? `${exact}, and about ${count(rounded(estimated))} by HLS` : exact;
}

/** To two figures: an estimate is no more exact. */
const rounded = (n: number): number => Number(n.toPrecision(2));

export const nameOf = (account: Pick<Account, 'display_name' | 'username'>): string =>
  account.display_name || account.username;

export const pageOf = (account: Pick<Account, 'acct'>): string => `/@${account.acct}`;

/** In public there is nothing to keep anybody from listening without an account. */
export function removalMeans(space: Pick<Space, 'audience'>): string {
  return space.audience === 'public'
    ? 'Who is removed can’t come on stage, ask, react or listen as themselves, until let back.'
    : 'Who is removed hears and sees this Space no more, until let back.';
}

/** What the browser itself throws is no sentence for people. */
const BROWSERS_OWN = [TypeError, SyntaxError, RangeError, ReferenceError, DOMException];

export function asSentence(error: unknown): string {
  if (error instanceof Error && !BROWSERS_OWN.some((kind) => error instanceof kind)) return error.message;
  console.error(error);
  return 'Something went wrong. Try again.';
}
