// Notifications in words. Pure.
import type { Account, GroupedNotifications, NotificationGroup, Status } from './mastodon-types';
import { nameOf, plural } from './words';

export interface Told {
  /** Its key; groups of one kind about one post have one. */
  id: string;
  group: NotificationGroup;
  accounts: Account[];
  status: Status | null;
}

/** Groups with the people and the post that they name. */
export function told(page: GroupedNotifications): Told[] {
  const accounts = new Map(page.accounts.map((account) => [account.id, account]));
  const statuses = new Map(page.statuses.map((status) => [status.id, status]));
  return page.notification_groups.map((group) => ({
    id: group.group_key,
    group,
    accounts: group.sample_account_ids.flatMap((id) => accounts.get(id) ?? []),
    status: (group.status_id && statuses.get(group.status_id)) || null,
  }));
}

/** The API's type, or what happened in a Space. */
export const kindOf = ({ type, folkmoot }: NotificationGroup): string =>
  folkmoot?.space_id ? `space.${folkmoot.event}` : type;

const SENTENCES: Record<string, string> = {
  mention: 'mentioned you',
  status: 'posted',
  reblog: 'boosted your post',
  favourite: 'favourited your post',
  follow: 'followed you',
  follow_request: 'asks to follow you',
  poll: 'A poll in which you took part has ended',
  update: 'edited a post that you boosted',
  quote: 'quoted you',
  quoted_update: 'edited a post that you quoted',
  moderation_warning: 'The moderators decided something about your account',
  'scheduled.refused': 'A post that you scheduled could not be posted',
  severed_relationships: 'Some of whom you follow are out of reach',
  'admin.sign_up': 'signed up',
  'admin.report': 'reported something',
  'space.starting_soon': 'starts a Space soon',
  'space.live': 'is live now',
  'space.let_up': 'let you up on the stage',
  'space.recorded': 'held a Space: the recording is there',
};
/** Sentences that need no name before them. */
const WHOLE = new Set(['poll', 'moderation_warning', 'scheduled.refused', 'severed_relationships']);

const FROM_RIGHT = /[\u0590-\u08ff\ufb1d-\ufefc]/;

/** A name that is read from right to left, in a sentence that is not (Unicode UAX 9, 2.4). */
function isolated(account: Account): string {
  const name = nameOf(account);
  return FROM_RIGHT.test(name) ? `\u2068${name}\u2069` : name;
}

export function sentenceOf({ group, accounts }: Pick<Told, 'group' | 'accounts'>): {
  names: string;
  does: string;
} {
  const does = SENTENCES[kindOf(group)] ?? 'did something that this page has no words for yet';
  if (WHOLE.has(group.type) || accounts.length === 0) return { names: '', does };
  const others = group.notifications_count - 1;
  const first = isolated(accounts[0]!);
  if (others <= 0) return { names: first, does };
  if (others === 1 && accounts[1]) return { names: `${first} and ${isolated(accounts[1])}`, does };
  return { names: `${first} and ${plural(others, 'other')}`, does };
}
