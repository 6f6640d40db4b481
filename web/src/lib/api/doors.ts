// What moderators stop at the door: networks, and mail that nobody signs up with. Mastodon's API.
import { get, sendJson } from './client';
import type { IpBlock, MailDomain, Mailbox, Severity } from '../moderation-types';

const NETWORKS = '/api/v1/admin/ip_blocks';
const DOMAINS = '/api/v1/admin/email_domain_blocks';
const MAILBOXES = '/api/v1/admin/canonical_email_blocks';
const MOST = '?limit=200';

export interface NewNetwork {
  ip: string;
  severity: Severity;
  comment: string;
  expires_in: number;
  confirm: boolean;
}
export const getNetworks = (): Promise<IpBlock[]> => get(NETWORKS + MOST);
export const stopNetwork = (network: NewNetwork): Promise<IpBlock> => sendJson('POST', NETWORKS, network);
export const letNetworkIn = (id: string): Promise<unknown> => sendJson('DELETE', `${NETWORKS}/${id}`);

export const getMailDomains = (): Promise<MailDomain[]> => get(DOMAINS + MOST);
export const blockMailDomain = (domain: string, allowWithApproval: boolean): Promise<MailDomain> =>
  sendJson('POST', DOMAINS, { domain, allow_with_approval: allowWithApproval });
export const allowMailDomain = (id: string): Promise<unknown> => sendJson('DELETE', `${DOMAINS}/${id}`);

export const getMailboxes = (): Promise<Mailbox[]> => get(MAILBOXES + MOST);
export const blockMailbox = (email: string): Promise<Mailbox> => sendJson('POST', MAILBOXES, { email });
export const findMailbox = (email: string): Promise<Mailbox[]> =>
  sendJson('POST', `${MAILBOXES}/test`, { email });
export const allowMailbox = (id: string): Promise<unknown> => sendJson('DELETE', `${MAILBOXES}/${id}`);
