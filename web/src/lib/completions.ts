// Who, which tag and which emoji could be meant by what is being written.
import { get } from './api/client';
import { findAccounts } from './api/people';
import { search } from './api/reading';
import type { Fragment } from './completion';
import type { Account, CustomEmoji } from './mastodon-types';
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
  return emojis(fragment.query.toLowerCase());
}

const mention = (account: Account): Completion => ({
  inserted: `@${account.acct}`,
  label: nameOf(account),
  detail: `@${account.acct}`,
  account,
});

let custom: Promise<CustomEmoji[]> | null = null;

async function emojis(query: string): Promise<Completion[]> {
  custom ??= get<CustomEmoji[]>('/api/v1/custom_emojis').catch(() => ((custom = null), []));
  const [own, { EMOJI }] = await Promise.all([custom, import('./emoji')]);
  const ofServer = own
    .filter((one) => one.visible_in_picker && one.shortcode.toLowerCase().includes(query))
    .map((one) => ({
      inserted: `:${one.shortcode}:`,
      label: `:${one.shortcode}:`,
      detail: '',
      image: one.static_url,
    }));
  const ofAll = Object.entries(EMOJI)
    .filter(([name]) => name.includes(query))
    .map(([name, character]) => ({ inserted: character, label: character, detail: name }));
  const begins = (one: { label: string; detail: string }) =>
    Number((one.detail || one.label.slice(1)).startsWith(query));
  return [...ofServer, ...ofAll].sort((a, b) => begins(b) - begins(a)).slice(0, SHOWN_MAX);
}
