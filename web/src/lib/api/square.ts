// The Mastodon API, as far as the client uses it.
import { get, getPage, sendJson, type Page } from './client';
import type {
  Account,
  Context,
  CredentialAccount,
  Relationship,
  Status,
  Visibility,
} from '../mastodon-types';

export interface NewStatus {
  status: string;
  visibility?: Visibility;
  in_reply_to_id?: string | null;
  media_ids?: string[];
}

/** Also on pages without HTTPS, where `crypto.randomUUID` is missing. */
export const newKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** The key makes a second press of the button, or a retry, the same post. */
export const postStatus = (draft: NewStatus, key: string): Promise<Status> =>
  sendJson('POST', '/api/v1/statuses', draft, { 'Idempotency-Key': key });
export const deleteStatus = (id: string): Promise<void> => sendJson('DELETE', `/api/v1/statuses/${id}`);
export type Marking =
  'reblog' | 'unreblog' | 'favourite' | 'unfavourite' | 'bookmark' | 'unbookmark' | 'pin' | 'unpin';
export const markStatus = (id: string, how: Marking): Promise<Status> =>
  sendJson('POST', `/api/v1/statuses/${id}/${how}`);
export const getStatus = (id: string): Promise<Status> => get(`/api/v1/statuses/${id}`);
export const getContext = (id: string): Promise<Context> => get(`/api/v1/statuses/${id}/context`);
export const getStatuses = (path: string): Promise<Page<Status>> => getPage(path);

export const lookUp = (acct: string): Promise<Account> =>
  get(`/api/v1/accounts/lookup?acct=${encodeURIComponent(acct)}`);
export const verifyCredentials = (): Promise<CredentialAccount> => get('/api/v1/accounts/verify_credentials');
export const updateCredentials = (changes: {
  display_name: string;
  note: string;
}): Promise<CredentialAccount> => sendJson('PATCH', '/api/v1/accounts/update_credentials', changes);

export async function relationshipTo(id: string): Promise<Relationship | null> {
  const found = await get<Relationship[]>(`/api/v1/accounts/relationships?id[]=${id}`);
  return found[0] ?? null;
}
export const changeRelationship = (
  id: string,
  change: 'follow' | 'unfollow' | 'block' | 'unblock',
): Promise<Relationship> => sendJson('POST', `/api/v1/accounts/${id}/${change}`);
