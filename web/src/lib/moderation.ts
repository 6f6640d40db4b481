// What moderators and reporters read: words for categories, standings and ends. Pure.
import type { Account } from './mastodon-types';
import type { AnyStanding, Category, Role, Severity, SignUpHint } from './moderation-types';

export type Person = Pick<Account, 'id' | 'username' | 'acct' | 'display_name'>;

/** What a report is about: an account, and what of it is meant. */
export interface ReportSubject {
  /** Whom it can be about; the first unless another is chosen. */
  people: Person[];
  /** "this post", "this Space": after “Report”. */
  what: string;
  statusId?: string;
  mediaId?: string;
  spaceId?: string;
  atMs?: number;
}

export const CATEGORIES: { value: Category; label: string; means: string }[] = [
  { value: 'spam', label: 'Spam', means: 'Advertising, deceiving links, the same again and again' },
  { value: 'violation', label: 'Against the rules', means: 'Insults, threats, somebody’s address, …' },
  { value: 'legal', label: 'Against the law', means: 'What a court would have to know of' },
  { value: 'other', label: 'Something else', means: 'Say below what it is' },
];
export const categoryLabel = (category: Category): string =>
  CATEGORIES.find((one) => one.value === category)!.label;

export const STANDINGS: Record<AnyStanding, string> = {
  active: 'In good standing',
  limited: 'Limited',
  awaiting_approval: 'Waits for approval',
  suspended: 'Suspended',
  deactivated: 'Deactivated',
  locked: 'Locked',
  muted: 'Muted',
  removed: 'Removed',
};

export const ROLES: Record<Role, string> = {
  member: 'a member',
  moderator: 'a moderator',
  owner: 'an owner',
};

export const ENDS = [
  { value: 'hour', label: 'For an hour', ms: 3_600_000 },
  { value: 'day', label: 'For a day', ms: 86_400_000 },
  { value: 'week', label: 'For 7 days', ms: 7 * 86_400_000 },
  { value: 'month', label: 'For 30 days', ms: 30 * 86_400_000 },
  { value: 'never', label: 'Without end', ms: null },
  { value: 'own', label: 'Until a time…', ms: null },
] as const;
export type End = (typeof ENDS)[number]['value'];

/** When it ends, as the API reads it; nothing without end. `own`: what a datetime-local field holds. */
export function endOf(end: End, own: string, nowMs: number): string | undefined {
  if (end === 'own') return new Date(own).toISOString();
  const chosen = ENDS.find((one) => one.value === end)!;
  return chosen.ms === null ? undefined : new Date(nowMs + chosen.ms).toISOString();
}

export const SEVERITIES: { value: Severity; label: string; means: string }[] = [
  {
    value: 'sign_up_requires_approval',
    label: 'A person looks at sign-ups',
    means: 'Everything else goes on as before',
  },
  { value: 'sign_up_block', label: 'No sign-ups', means: 'Who has an account goes on as before' },
  {
    value: 'no_access',
    label: 'Everything',
    means: 'What is open from there ends at once; nobody is let in',
  },
];

export const SURENESS: Record<SignUpHint['sureness'], string> = {
  likely: 'Likely the same person',
  possible: 'Possibly the same person',
  weak: 'A weak hint',
};

export const mayModerate = (role: string | null): boolean => role === 'moderator' || role === 'owner';
