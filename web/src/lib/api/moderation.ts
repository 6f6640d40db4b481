// Reporting, and what moderators do: Mastodon's API with Folkmoot's few fields beside it.
import { get, getPage, sendJson, type Page } from './client';
import type { Moderated, WaitingAppeal } from '../types';
import type { AdminAccount, AdminReport, Category, Role, Standing } from '../moderation-types';

const ACCOUNTS = '/api/v1/admin/accounts';
const REPORTS = '/api/v1/admin/reports';

export interface NewReport {
  account_id: string;
  category: Category;
  comment: string;
  status_ids?: string[];
  space_id?: string;
  at_ms?: number;
  media_id?: string;
}
export const report = (draft: NewReport): Promise<unknown> => sendJson('POST', '/api/v1/reports', draft);

export const getReports = (path: string): Promise<Page<AdminReport>> => getPage(path);
export const reportsPath = (resolved: boolean, about?: string): string =>
  `${REPORTS}?limit=20&resolved=${resolved}${about ? `&target_account_id=${about}` : ''}`;
export const changeReport = (
  id: string,
  change: 'assign_to_self' | 'unassign' | 'resolve' | 'reopen',
): Promise<AdminReport> => sendJson('POST', `${REPORTS}/${id}/${change}`);

/** The words of the API for a standing. */
const STATUS: Record<Standing, string> = {
  active: 'active',
  limited: 'silenced',
  awaiting_approval: 'pending',
  suspended: 'suspended',
  deactivated: 'deactivated',
  locked: 'disabled',
};
export function accountsPath(text: string, standing: Standing | ''): string {
  const query = new URLSearchParams({ limit: '40', q: text, status: standing ? STATUS[standing] : '' });
  return `/api/v2/admin/accounts?${query}`;
}
export const getAccounts = (path: string): Promise<Page<AdminAccount>> => getPage(path);
export const getAdminAccount = (id: string): Promise<AdminAccount> => get(`${ACCOUNTS}/${id}`);

export interface Decision {
  type: 'suspend' | 'silence' | 'disable';
  text: string;
  until?: string;
  /** What becomes of live Spaces of somebody who is suspended. */
  spaces?: { id: string; becomes: 'goes_on' | 'handed_over' | 'ends'; to?: string }[];
}
export const decide = (id: string, decision: Decision): Promise<unknown> =>
  sendJson('POST', `${ACCOUNTS}/${id}/action`, decision);
export const changeAccount = (
  id: string,
  change: 'approve' | 'reject' | 'enable' | 'unsilence' | 'unsuspend',
): Promise<AdminAccount> => sendJson('POST', `${ACCOUNTS}/${id}/${change}`);

const THINGS = '/api/folkmoot/v1/moderation';
export const getModeratedSpace = (id: string): Promise<Moderated> => get(`${THINGS}/spaces/${id}`);
export const decideSpace = (
  id: string,
  decision: { type: 'remove' | 'mute'; reason: string; until?: string },
): Promise<Moderated> => sendJson('POST', `${THINGS}/spaces/${id}/action`, decision);
export const liftSpace = (id: string): Promise<Moderated> =>
  sendJson('POST', `${THINGS}/spaces/${id}/lift`, {});
export const removeClip = (id: string, reason: string): Promise<Moderated> =>
  sendJson('POST', `${THINGS}/clips/${id}/action`, { reason });
export const liftClip = (id: string): Promise<Moderated> => sendJson('POST', `${THINGS}/clips/${id}/lift`);

export const giveRole = (id: string, role: Role): Promise<void> =>
  sendJson('PUT', `${THINGS}/accounts/${id}/role`, { role });

const APPEALS = '/api/folkmoot/v1/moderation/appeals';
export const getAppeals = (): Promise<WaitingAppeal[]> => get(APPEALS);
export const answerAppeal = (id: string, granted: boolean, answer: string): Promise<void> =>
  sendJson('POST', `${APPEALS}/${id}`, { granted, answer });
