// Mastodon's entities for moderators, as far as the client reads them, with what Folkmoot knows besides.
import type { Account, Status } from './mastodon-types';

export type Category = 'spam' | 'legal' | 'violation' | 'other';
export type Standing = 'active' | 'limited' | 'awaiting_approval' | 'suspended' | 'deactivated' | 'locked';
export type Role = 'member' | 'moderator' | 'owner';
/** How a Space or a clip can stand besides. */
export type AnyStanding = Standing | 'muted' | 'removed';

export interface ModeratedSpace {
  id: string;
  title: string;
  state: string;
}

export interface Sanction {
  id: string;
  standing: AnyStanding;
  reason: string;
  until: string | null;
  decided_by: string | null;
  decided_at: string;
  lifted_by: string | null;
  lifted_at: string | null;
}

/** A file of a reported post. `url`: null where it was reported before files were kept. */
export interface ReportedMedia {
  id: string;
  type: string;
  description: string;
  url: string | null;
}

/** What a post said, from `since` on. */
export interface ReportedVersion {
  since: string;
  text: string;
  spoiler_text: string;
  poll: string[];
  media: ReportedMedia[];
}

/** A post as it was when it was reported. `versions`: all else that it said. */
export interface ReportedPost extends ReportedVersion {
  id: string;
  now: 'as_reported' | 'changed' | 'deleted';
  versions: ReportedVersion[];
}

/** What a sign-up has in common with another account: a reason to look. */
export interface SignUpHint {
  kind: 'mailbox' | 'browser' | 'address';
  sureness: 'likely' | 'possible' | 'weak';
  sentence: string;
  account_id: string;
  username: string;
}

/** A live Space, and who could host it if its host can't any more. */
export interface LiveSpace {
  id: string;
  title: string;
  successors: { id: string; username: string; role: string }[];
}

/** What is decided about a host of another network. */
export interface DomainBlock {
  id: string;
  domain: string;
  severity: 'silence' | 'suspend';
  public_comment: string | null;
  private_comment: string | null;
}

export interface DomainAllow {
  id: string;
  domain: string;
}

export type Severity = 'sign_up_requires_approval' | 'sign_up_block' | 'no_access';

export interface IpBlock {
  id: string;
  ip: string;
  severity: Severity;
  comment: string;
  expires_at: string | null;
}

export interface MailDomain {
  id: string;
  domain: string;
  allow_with_approval: boolean;
}

export interface Mailbox {
  id: string;
}

export interface AdminAccount {
  id: string;
  username: string;
  created_at: string;
  email: string | null;
  invite_request: string | null;
  role: { name: string };
  approved: boolean;
  disabled: boolean;
  silenced: boolean;
  suspended: boolean;
  account: Account;
  folkmoot: {
    standing: Standing;
    reason: string;
    until: string | null;
    details: {
      sanctions: Sanction[];
      sessions_count: number;
      programs_count: number;
      open_reports_count: number;
      reports_count: number;
      spaces: ModeratedSpace[];
      live_spaces: LiveSpace[];
      hints: SignUpHint[];
    } | null;
  };
}

export interface AdminReport {
  id: string;
  action_taken: boolean;
  action_taken_at: string | null;
  category: Category;
  comment: string;
  created_at: string;
  account: AdminAccount | null;
  target_account: AdminAccount;
  assigned_account: AdminAccount | null;
  action_taken_by_account: AdminAccount | null;
  statuses: Status[];
  folkmoot: {
    posts: ReportedPost[];
    space: ModeratedSpace | null;
    at_ms: number | null;
    clip: [number, number] | null;
    resolution: 'nothing' | 'limited' | 'suspended' | 'locked' | 'removed' | null;
  };
}
