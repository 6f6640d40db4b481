// Links by which people bring others, and who brought whom.
import { get, sendJson } from './client';
import type { InviteTree, OpenInvite, OwnInvite, OwnInvites } from '../types';

const API = '/api/folkmoot/v1';

export const getInvites = (): Promise<OwnInvites> => get(`${API}/invites`);
export const makeInvite = (uses: number, expiresIn: number): Promise<OwnInvite> =>
  sendJson('POST', `${API}/invites`, { uses, expires_in: expiresIn });
export const takeBackInvite = (id: string): Promise<void> => sendJson('DELETE', `${API}/invites/${id}`);
export const getInvite = (code: string): Promise<OpenInvite> =>
  get(`${API}/invite/${encodeURIComponent(code)}`);
export const getInviteTree = (accountId: string): Promise<InviteTree> =>
  get(`${API}/moderation/accounts/${accountId}/invites`);
export const closeInvite = (id: string): Promise<void> =>
  sendJson('DELETE', `${API}/moderation/invites/${id}`);
