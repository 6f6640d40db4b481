// The Mastodon API about posts, as far as the client uses it.
import { ApiError, get, getPage, sendJson, type Page } from './client';
import type {
  Context,
  Poll,
  QuotePolicy,
  ScheduledStatus,
  Status,
  StatusEdit,
  StatusSource,
  Visibility,
} from '../mastodon-types';

export interface NewPoll {
  options: string[];
  expires_in: number;
  multiple: boolean;
}

export interface NewStatus {
  status: string;
  visibility?: Visibility;
  in_reply_to_id?: string | null;
  media_ids?: string[];
  spoiler_text?: string;
  sensitive?: boolean;
  language?: string | null;
  poll?: NewPoll | null;
  scheduled_at?: string | null;
  quoted_status_id?: string | null;
  quote_approval_policy?: QuotePolicy;
}

export interface ChangedStatus extends NewStatus {
  media_attributes?: { id: string; description: string; focus?: string }[];
}

/** Also on pages without HTTPS, where `crypto.randomUUID` is missing. */
export const newKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

const of = (id: string): string => `/api/v1/statuses/${id}`;

/** The key makes a second press of the button, or a retry, the same post. */
export const postStatus = <Answer = Status>(draft: NewStatus, key: string): Promise<Answer> =>
  sendJson('POST', '/api/v1/statuses', draft, { 'Idempotency-Key': key });
export const changeStatus = (id: string, draft: ChangedStatus): Promise<Status> =>
  sendJson('PUT', of(id), draft);
/** Whether it was there. What is gone already is no error: a browser asks again when the first answer was lost. */
async function remove(path: string): Promise<boolean> {
  try {
    await sendJson('DELETE', path);
    return true;
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 404)) throw error;
    return false;
  }
}
export const deleteStatus = (id: string): Promise<boolean> => remove(of(id));
export type Marking =
  | 'reblog'
  | 'unreblog'
  | 'favourite'
  | 'unfavourite'
  | 'bookmark'
  | 'unbookmark'
  | 'pin'
  | 'unpin'
  | 'mute'
  | 'unmute';
export const markStatus = (id: string, how: Marking): Promise<Status> => sendJson('POST', `${of(id)}/${how}`);
export const getStatus = (id: string): Promise<Status> => get(of(id));
export const getContext = (id: string): Promise<Context> => get(`${of(id)}/context`);
export const getStatuses = (path: string): Promise<Page<Status>> => getPage(path);
export const getSource = (id: string): Promise<StatusSource> => get(`${of(id)}/source`);
export const getHistory = (id: string): Promise<StatusEdit[]> => get(`${of(id)}/history`);

/** Takes one's own post out of somebody's quote. */
export const revokeQuote = (id: string, quotingId: string): Promise<Status> =>
  sendJson('POST', `${of(id)}/quotes/${quotingId}/revoke`);

export const vote = (id: string, choices: number[]): Promise<Poll> =>
  sendJson('POST', `/api/v1/polls/${id}/votes`, { choices });
export const getPoll = (id: string): Promise<Poll> => get(`/api/v1/polls/${id}`);

export const getScheduled = (): Promise<ScheduledStatus[]> => get('/api/v1/scheduled_statuses');
export const reschedule = (id: string, scheduledAt: string): Promise<ScheduledStatus> =>
  sendJson('PUT', `/api/v1/scheduled_statuses/${id}`, { scheduled_at: scheduledAt });
export const cancelScheduled = (id: string): Promise<boolean> => remove(`/api/v1/scheduled_statuses/${id}`);
