// The Mastodon API about what one reads: notifications, search, tags, lists, filters.
import { ApiError, get, send, nextLink, sendJson, type Page } from './client';
import type {
  Account,
  Filter,
  FilterContext,
  GroupedNotifications,
  Instance,
  List,
  SearchResults,
  Tag,
  Visibility,
} from '../mastodon-types';

let instance: Promise<Instance> | null = null;

/** What the server can do: asked once. A failure is forgotten, so that the next who asks tries again. */
export function getInstance(): Promise<Instance> {
  instance ??= get<Instance>('/api/v2/instance').catch((error: unknown) => {
    instance = null;
    throw error;
  });
  return instance;
}

export interface Preferences {
  'posting:default:visibility': Visibility;
  'posting:default:sensitive': boolean;
  'posting:default:language': string | null;
  'reading:expand:media': 'default' | 'show_all' | 'hide_all';
  'reading:expand:spoilers': boolean;
}

let preferences: Promise<Preferences> | null = null;

export function getPreferences(): Promise<Preferences> {
  preferences ??= get<Preferences>('/api/v1/preferences').catch((error: unknown) => {
    preferences = null;
    throw error;
  });
  return preferences;
}
export const forgetPreferences = (): void => void (preferences = null);

export async function getNotifications(
  path: string,
): Promise<{ page: GroupedNotifications; next: string | null }> {
  const response = await send(path);
  return { page: await response.json(), next: nextLink(response.headers.get('Link')) };
}
export const countUnread = async (): Promise<number> =>
  (await get<{ count: number }>('/api/v2/notifications/unread_count')).count;
export const markRead = (lastReadId: string): Promise<void> =>
  sendJson('POST', '/api/v1/markers', { notifications: { last_read_id: lastReadId } });

export interface Question {
  q: string;
  type?: 'accounts' | 'statuses' | 'hashtags';
  limit?: number;
  offset?: number;
  resolve?: boolean;
}
export function search(question: Question, signal?: AbortSignal): Promise<SearchResults> {
  const query = new URLSearchParams(Object.entries(question).map(([name, value]) => [name, String(value)]));
  return get(`/api/v2/search?${query}`, signal);
}

export const getTag = (name: string): Promise<Tag> => get(`/api/v1/tags/${encodeURIComponent(name)}`);
export const followTag = (name: string, how: 'follow' | 'unfollow'): Promise<Tag> =>
  sendJson('POST', `/api/v1/tags/${encodeURIComponent(name)}/${how}`);

type ListDraft = Omit<List, 'id'>;
export const getLists = (): Promise<List[]> => get('/api/v1/lists');
export const getList = (id: string): Promise<List> => get(`/api/v1/lists/${id}`);
export const createList = (draft: ListDraft): Promise<List> => sendJson('POST', '/api/v1/lists', draft);
export const changeList = (id: string, draft: ListDraft): Promise<List> =>
  sendJson('PUT', `/api/v1/lists/${id}`, draft);
export const deleteList = (id: string): Promise<void> => sendJson('DELETE', `/api/v1/lists/${id}`);
export const getMembers = (id: string): Promise<Account[]> => get(`/api/v1/lists/${id}/accounts?limit=0`);
export const changeMember = (id: string, accountId: string, how: 'POST' | 'DELETE'): Promise<void> =>
  sendJson(how, `/api/v1/lists/${id}/accounts`, { account_ids: [accountId] });

export interface FilterDraft {
  title: string;
  context: FilterContext[];
  filter_action: Filter['filter_action'];
  expires_in: number | null;
  keywords_attributes: { id?: string; keyword?: string; whole_word?: boolean; _destroy?: boolean }[];
}
export const getFilters = (): Promise<Filter[]> => get('/api/v2/filters');
export const createFilter = (draft: FilterDraft): Promise<Filter> =>
  sendJson('POST', '/api/v2/filters', draft);
export const changeFilter = (id: string, draft: FilterDraft): Promise<Filter> =>
  sendJson('PUT', `/api/v2/filters/${id}`, draft);
export const deleteFilter = (id: string): Promise<void> => sendJson('DELETE', `/api/v2/filters/${id}`);

export const noneWhereMissing = <T>(work: Promise<T[]>): Promise<T[]> =>
  work.catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 404) return [];
    throw error;
  });

export type { Page };
