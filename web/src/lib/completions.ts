// Who, which tag and which emoji could be meant by what is being written.
import { findAccounts } from './api/people';
import { search } from './api/reading';
import type { Fragment } from './completion';
import type { Account } from './mastodon-types';
import { nameOf } from './words';

export interface Completion {
  inserted: string;
  label: string;
  detail: string;
  account?: Account;
  image?: string;
}

const SHOWN_MAX = 6;

export async function completionsFor(fragment: Fragment, signal: AbortSignal): Promise<Completion[]> {
  if (fragment.kind === 'mention') {
    const accounts = await findAccounts(fragment.query, signal);
    return accounts.slice(0, SHOWN_MAX).map(mention);
  }
  if (fragment.kind === 'hashtag') {
    const { hashtags } = await search({ q: fragment.query, type: 'hashtags', limit: SHOWN_MAX }, signal);
    return hashtags.map(({ name }) => ({ inserted: `#${name}`, label: `#${name}`, detail: '' }));
  }
  return emojis(fragment.query);
}

const mention = (account: Account): Completion => ({
  inserted: `@${account.acct}`,
  label: nameOf(account),
  detail: `@${account.acct}`,
  account,
});

async function emojis(query: string): Promise<Completion[]> {
  const { findEmoji, ownGroups, UNICODE } = await import('./emoji');
  return findEmoji([...(await ownGroups()), ...UNICODE], query, SHOWN_MAX).map((one) => ({
    inserted: one.inserted,
    label: one.inserted,
    detail: one.image ? '' : one.name,
    image: one.image,
  }));
}
