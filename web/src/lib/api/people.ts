// The Mastodon API about people and what one decides about them.
import { get, send, sendJson } from './client';
import type { Account, CredentialAccount, FeaturedTag, Relationship, Status } from '../mastodon-types';

export const lookUp = (acct: string): Promise<Account> =>
  get(`/api/v1/accounts/lookup?acct=${encodeURIComponent(acct)}`);
export const verifyCredentials = (): Promise<CredentialAccount> => get('/api/v1/accounts/verify_credentials');

/** Pictures make it a form of files. */
export async function updateCredentials(changes: FormData): Promise<CredentialAccount> {
  const response = await send('/api/v1/accounts/update_credentials', { method: 'PATCH', body: changes });
  return (await response.json()) as CredentialAccount;
}

export const relationshipsTo = (ids: string[]): Promise<Relationship[]> =>
  get(`/api/v1/accounts/relationships?${ids.map((id) => `id[]=${id}`).join('&')}`);
export const relationshipTo = async (id: string): Promise<Relationship | null> =>
  (await relationshipsTo([id]))[0] ?? null;

export type RelationshipChange =
  | 'follow'
  | 'unfollow'
  | 'block'
  | 'unblock'
  | 'mute'
  | 'unmute'
  | 'remove_from_followers'
  | 'endorse'
  | 'unendorse';
export const changeRelationship = (
  id: string,
  change: RelationshipChange,
  options?: { reblogs?: boolean; notify?: boolean; duration?: number; notifications?: boolean },
): Promise<Relationship> => sendJson('POST', `/api/v1/accounts/${id}/${change}`, options);
export const saveNote = (id: string, comment: string): Promise<Relationship> =>
  sendJson('POST', `/api/v1/accounts/${id}/note`, { comment });

export const answerRequest = (id: string, answer: 'authorize' | 'reject'): Promise<Relationship> =>
  sendJson('POST', `/api/v1/follow_requests/${id}/${answer}`);

export const findAccounts = (query: string, signal?: AbortSignal): Promise<Account[]> =>
  get(`/api/v1/accounts/search?limit=6&q=${encodeURIComponent(query)}`, signal);

/** What a profile shows besides: whom one knows among the followers, and what its owner chose to show. */
export interface About {
  familiar: Account[];
  tags: FeaturedTag[];
  endorsed: Account[];
  pinned: Status[];
}

/** None of it is worth an error: what doesn't come is left out. `isOther`: somebody signed in looks at another. */
export async function aboutOf(id: string, isOther: boolean): Promise<About> {
  const or = <T>(path: string) => get<T[]>(path).catch((): T[] => []);
  const of = `/api/v1/accounts/${id}`;
  const known = isOther
    ? or<{ accounts: Account[] }>(`/api/v1/accounts/familiar_followers?id[]=${id}`)
    : Promise.resolve([]);
  const [familiar, tags, endorsed, pinned] = await Promise.all([
    known,
    or<FeaturedTag>(`${of}/featured_tags`),
    or<Account>(`${of}/endorsements`),
    or<Status>(`${of}/statuses?pinned=true`),
  ]);
  return { familiar: familiar[0]?.accounts ?? [], tags, endorsed, pinned };
}

export const getFeaturedTags = (): Promise<FeaturedTag[]> => get('/api/v1/featured_tags');
export const featureTag = (name: string): Promise<FeaturedTag> =>
  sendJson('POST', '/api/v1/featured_tags', { name });
export const unfeatureTag = (id: string): Promise<void> => sendJson('DELETE', `/api/v1/featured_tags/${id}`);
export const suggestTags = (): Promise<{ name: string }[]> => get('/api/v1/featured_tags/suggestions');
