// What moderators stop at the door: networks, and mail that nobody signs up with. Mastodon's API.
import { get, sendJson } from './client';
import type { DomainAllow, DomainBlock, IpBlock, MailDomain, Mailbox, Severity } from '../moderation-types';

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

const BLOCKS = '/api/v1/admin/domain_blocks';
const ALLOWS = '/api/v1/admin/domain_allows';
export interface NewBlock {
  domain: string;
  severity: DomainBlock['severity'];
  public_comment: string;
  private_comment: string;
}
export const getHosts = (): Promise<DomainBlock[]> => get(BLOCKS + MOST);
export const stopHost = (block: NewBlock): Promise<DomainBlock> => sendJson('POST', BLOCKS, block);
export const liftHost = (id: string): Promise<unknown> => sendJson('DELETE', `${BLOCKS}/${id}`);
export const getAllowedHosts = (): Promise<DomainAllow[]> => get(ALLOWS + MOST);
export const allowHost = (domain: string): Promise<DomainAllow> => sendJson('POST', ALLOWS, { domain });
export const disallowHost = (id: string): Promise<unknown> => sendJson('DELETE', `${ALLOWS}/${id}`);

export const getMailDomains = (): Promise<MailDomain[]> => get(DOMAINS + MOST);
export const blockMailDomain = (domain: string, allowWithApproval: boolean): Promise<MailDomain> =>
  sendJson('POST', DOMAINS, { domain, allow_with_approval: allowWithApproval });
export const allowMailDomain = (id: string): Promise<unknown> => sendJson('DELETE', `${DOMAINS}/${id}`);

export const getMailboxes = (): Promise<Mailbox[]> => get(MAILBOXES + MOST);
export const blockMailbox = (email: string): Promise<Mailbox> => sendJson('POST', MAILBOXES, { email });
export const findMailbox = (email: string): Promise<Mailbox[]> =>
  sendJson('POST', `${MAILBOXES}/test`, { email });
export const allowMailbox = (id: string): Promise<unknown> => sendJson('DELETE', `${MAILBOXES}/${id}`);
