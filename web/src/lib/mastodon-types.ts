// Mastodon's entities, as far as the client reads them: https://docs.joinmastodon.org/entities/.

export interface Account {
  id: string;
  username: string;
  acct: string;
  display_name: string;
  locked: boolean;
  bot: boolean;
  created_at: string;
  /** HTML. */
  note: string;
  url: string;
  avatar: string;
  followers_count: number;
  following_count: number;
  statuses_count: number;
}

export interface CredentialAccount extends Account {
  source: { note: string };
}

export interface Relationship {
  id: string;
  following: boolean;
  followed_by: boolean;
  blocking: boolean;
  blocked_by: boolean;
}

export interface MediaAttachment {
  id: string;
  type: string;
  url: string;
  description: string | null;
  meta: { length?: string; duration?: number; original?: { duration?: number }; waveform?: number[] };
}

/** A stretch of a clip that is silent by a decision, in ms of its file. */
export interface TakenOut {
  from_ms: number;
  to_ms: number;
  sentence: string;
}

export interface PreviewCard {
  url: string;
  title: string;
  description: string;
}

export type Visibility = 'public' | 'unlisted' | 'private' | 'direct';

export interface Status {
  id: string;
  url: string;
  created_at: string;
  account: Account;
  /** HTML. */
  content: string;
  visibility: Visibility;
  sensitive: boolean;
  spoiler_text: string;
  in_reply_to_id: string | null;
  in_reply_to_account_id: string | null;
  media_attachments: MediaAttachment[];
  mentions: { id: string; username: string; acct: string; url: string }[];
  card: PreviewCard | null;
  /** What a boost shows. */
  reblog: Status | null;
  replies_count: number;
  reblogs_count: number;
  favourites_count: number;
  favourited: boolean;
  reblogged: boolean;
  bookmarked: boolean;
  pinned: boolean;
  folkmoot: {
    space_id: string | null;
    clip: { id: string; space_id: string; start_ms: number; end_ms: number; taken_out: TakenOut[] } | null;
    /** What stands in place of a clip that moderators removed. */
    clip_removed: { id: string; sentence: string } | null;
  };
}

export interface Context {
  ancestors: Status[];
  descendants: Status[];
}
