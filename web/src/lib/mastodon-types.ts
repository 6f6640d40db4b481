// Mastodon's entities, as far as the client reads them: https://docs.joinmastodon.org/entities/.

export interface CustomEmoji {
  shortcode: string;
  url: string;
  static_url: string;
  visible_in_picker: boolean;
  category?: string | null;
}

export interface Field {
  name: string;
  /** HTML. */
  value: string;
  verified_at?: string | null;
}

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
  header?: string;
  fields?: Field[];
  emojis?: CustomEmoji[];
  followers_count: number;
  following_count: number;
  statuses_count: number;
}

export interface CredentialAccount extends Account {
  discoverable: boolean | null;
  indexable: boolean;
  source: {
    note: string;
    fields: Field[];
    privacy: Visibility;
    sensitive: boolean;
    language: string | null;
    follow_requests_count: number;
  };
}

export interface Relationship {
  id: string;
  following: boolean;
  showing_reblogs: boolean;
  notifying: boolean;
  followed_by: boolean;
  blocking: boolean;
  blocked_by: boolean;
  muting: boolean;
  muting_notifications: boolean;
  muting_expires_at: string | null;
  requested: boolean;
  domain_blocking: boolean;
  endorsed: boolean;
  note: string;
}

/** As the list of those whom one mutes has it. */
export interface MutedAccount extends Account {
  mute_expires_at: string | null;
}

interface Dimensions {
  width?: number;
  height?: number;
  duration?: number;
}

export interface MediaAttachment {
  id: string;
  type: 'image' | 'gifv' | 'video' | 'audio' | 'unknown';
  /** Null while the server still works on it. */
  url: string | null;
  preview_url: string | null;
  description: string | null;
  blurhash?: string | null;
  meta: {
    length?: string;
    duration?: number;
    original?: Dimensions;
    small?: Dimensions;
    focus?: { x: number; y: number };
    waveform?: number[];
  } | null;
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
  provider_name: string;
  image: string | null;
}

export interface Poll {
  id: string;
  expires_at: string | null;
  expired: boolean;
  multiple: boolean;
  votes_count: number;
  voters_count: number | null;
  options: { title: string; votes_count: number | null }[];
  voted?: boolean;
  own_votes?: number[];
}

export interface Filter {
  id: string;
  title: string;
  context: FilterContext[];
  expires_at: string | null;
  filter_action: 'warn' | 'hide' | 'blur';
  keywords?: { id: string; keyword: string; whole_word: boolean }[];
}
export type FilterContext = 'home' | 'notifications' | 'public' | 'thread' | 'account';

export interface FilterResult {
  filter: Filter;
  keyword_matches: string[] | null;
}

export interface Quote {
  state: string;
  quoted_status: Status | null;
}

export type Visibility = 'public' | 'unlisted' | 'private' | 'direct';
export type QuotePolicy = 'public' | 'followers' | 'nobody';

export interface Status {
  id: string;
  url: string;
  created_at: string;
  edited_at: string | null;
  account: Account;
  /** HTML. */
  content: string;
  visibility: Visibility;
  sensitive: boolean;
  spoiler_text: string;
  language: string | null;
  in_reply_to_id: string | null;
  in_reply_to_account_id: string | null;
  media_attachments: MediaAttachment[];
  mentions: { id: string; username: string; acct: string; url: string }[];
  emojis: CustomEmoji[];
  card: PreviewCard | null;
  poll: Poll | null;
  /** What a boost shows. */
  reblog: Status | null;
  quote: Quote | null;
  quote_approval?: { automatic: QuotePolicy[]; current_user: 'automatic' | 'manual' | 'denied' | 'unknown' };
  replies_count: number;
  reblogs_count: number;
  favourites_count: number;
  quotes_count?: number;
  favourited: boolean;
  reblogged: boolean;
  bookmarked: boolean;
  muted: boolean;
  pinned: boolean;
  filtered?: FilterResult[];
  folkmoot: {
    space_id: string | null;
    clip: { id: string; space_id: string; start_ms: number; end_ms: number; taken_out: TakenOut[] } | null;
    /** What stands in place of a clip that moderators removed. */
    clip_removed: { id: string; sentence: string } | null;
  };
}

/** A post at its deletion, with the text that goes back into the form. */
export interface StatusSource {
  id: string;
  text: string;
  spoiler_text: string;
}

export interface StatusEdit {
  /** HTML. */
  content: string;
  spoiler_text: string;
  sensitive: boolean;
  created_at: string;
  media_attachments: MediaAttachment[];
  emojis: CustomEmoji[];
  poll: { options: { title: string }[] } | null;
}

export interface ScheduledStatus {
  id: string;
  scheduled_at: string;
  params: {
    text: string;
    visibility: Visibility;
    spoiler_text: string | null;
    in_reply_to_id: string | null;
    quoted_status_id: string | null;
    language: string | null;
    sensitive: boolean | null;
    quote_approval_policy: QuotePolicy;
    poll: { options: string[]; expires_in: number | string; multiple: boolean } | null;
  };
  media_attachments: MediaAttachment[];
  /** Why it could not be posted at its time. */
  folkmoot?: { refused: string };
}

export interface Context {
  ancestors: Status[];
  descendants: Status[];
}

export interface Tag {
  name: string;
  url: string;
  following?: boolean;
  history?: { day: string; uses: string; accounts: string }[];
}

export interface FeaturedTag {
  id: string;
  name: string;
  url: string;
  statuses_count: string;
}

export interface List {
  id: string;
  title: string;
  replies_policy: 'followed' | 'list' | 'none';
  exclusive: boolean;
}

export interface NotificationGroup {
  group_key: string;
  notifications_count: number;
  type: string;
  /** The newest of the group. (`most_recent_notification_id` is a number, too large to be exact here.) */
  page_max_id: string;
  latest_page_notification_at?: string;
  sample_account_ids: string[];
  status_id?: string | null;
  /** What happened in which Space; or why what one had scheduled didn't come. */
  folkmoot?: { event: string; space_id?: string; reason?: string };
}

export interface GroupedNotifications {
  accounts: Account[];
  statuses: Status[];
  notification_groups: NotificationGroup[];
}

export interface Conversation {
  id: string;
  unread: boolean;
  accounts: Account[];
  last_status: Status | null;
}

export interface SearchResults {
  accounts: Account[];
  statuses: Status[];
  hashtags: Tag[];
}

export interface Announcement {
  id: string;
  /** HTML. */
  content: string;
  read?: boolean;
}

export interface Instance {
  title: string;
  description: string;
  domain: string;
  version: string;
  rules: { id: string; text: string }[];
  configuration: {
    statuses: {
      max_characters: number;
      max_media_attachments: number;
      characters_reserved_per_url: number;
    };
    media_attachments: { supported_mime_types: string[]; description_limit?: number };
    polls: {
      max_options: number;
      max_characters_per_option: number;
      min_expiration: number;
      max_expiration: number;
    };
    accounts?: { max_profile_fields?: number };
    vapid?: { public_key: string };
  };
}
