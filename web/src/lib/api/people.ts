// The Mastodon API about people and what one decides about them.
import { get, send, sendJson } from './client';
import type { Account, CredentialAccount, Relationship } from '../mastodon-types';

export const lookUp = (acct: string): Promise<Account> =>
  get(`/api/v1/accounts/lookup?acct=${encodeURIComponent(acct)}`);
export const verifyCredentials = (): Promise<CredentialAccount> => get('/api/v1/accounts/verify_credentials');

/** Pictures make it a form of files. */
export async function updateCredentials(changes: FormData): Promise<CredentialAccount> {
  const response = await send('/api/v1/accounts/update_credentials', { method: 'PATCH', body: changes });
  return (await response.json()) as CredentialAccount;
}

export async function relationshipTo(id: string): Promise<Relationship | null> {
  const found = await get<Relationship[]>(`/api/v1/accounts/relationships?id[]=${id}`);
  return found[0] ?? null;
}

export type RelationshipChange =
  'follow' | 'unfollow' | 'block' | 'unblock' | 'mute' | 'unmute' | 'remove_from_followers';
export const changeRelationship = (
  id: string,
  change: RelationshipChange,
  options?: { reblogs?: boolean; notify?: boolean; duration?: number },
): Promise<Relationship> => sendJson('POST', `/api/v1/accounts/${id}/${change}`, options);
export const saveNote = (id: string, comment: string): Promise<Relationship> =>
  sendJson('POST', `/api/v1/accounts/${id}/note`, { comment });

export const answerRequest = (id: string, answer: 'authorize' | 'reject'): Promise<Relationship> =>
  sendJson('POST', `/api/v1/follow_requests/${id}/${answer}`);

export const findAccounts = (query: string, signal?: AbortSignal): Promise<Account[]> =>
  get(`/api/v1/accounts/search?limit=6&q=${encodeURIComponent(query)}`, signal);
