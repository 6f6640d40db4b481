"""Tusky (Kotlin with Moshi: what is neither nullable nor has a default has to be there; `Int` is 32 bits wide)."""

from typing import Literal

from msgspec import Struct
from tests.surfaces.mastodon.decoders.kinds import Digits, Int32, Time


class Emoji(Struct):
    shortcode: str
    url: str
    static_url: str
    visible_in_picker: bool = True
    category: str | None = None


class Row(Struct):
    name: str
    value: str
    verified_at: Time | None = None


class Role(Struct):
    name: str
    color: str


class Source(Struct):
    privacy: Literal["public", "unlisted", "private", "direct"] = "public"
    sensitive: bool | None = None
    fields: list[Row] = []


class TimelineAccount(Struct, kw_only=True):
    id: str
    username: str
    acct: str
    display_name: str | None = None
    url: str
    avatar: str
    note: str
    bot: bool = False
    emojis: list[Emoji] = []


class Account(TimelineAccount, kw_only=True):
    created_at: Time
    header: str
    locked: bool = False
    followers_count: Int32 = 0
    following_count: Int32 = 0
    statuses_count: Int32 = 0
    source: Source | None = None
    fields: list[Row] = []
    roles: list[Role] = []


class Size(Struct):
    width: Int32 = 0
    height: Int32 = 0
    aspect: float = 0.0


class Meta(Struct):
    duration: float | None = None
    original: Size | None = None
    small: Size | None = None


class Attachment(Struct, kw_only=True):
    id: str
    url: str
    preview_url: str | None = None
    meta: Meta | None = None
    type: str
    description: str | None = None
    blurhash: str | None = None


class Mention(Struct):
    id: str
    url: str
    acct: str
    username: str


class HashTag(Struct):
    name: str
    url: str
    following: bool | None = None


class Option(Struct):
    title: str
    votes_count: Int32 | None = None


class Poll(Struct, kw_only=True):
    id: str
    expires_at: Time | None = None
    expired: bool
    multiple: bool
    votes_count: Int32
    voters_count: Int32 | None = None
    options: list[Option]
    voted: bool = False
    own_votes: list[Int32] = []


class CardAuthor(Struct):
    name: str
    url: str
    account: TimelineAccount | None


class Card(Struct, kw_only=True):
    url: str
    title: str
    description: str = ""
    authors: list[CardAuthor] = []
    image: str | None = None
    type: str
    width: Int32 = 0
    height: Int32 = 0


class Filter(Struct, kw_only=True):
    id: str = ""
    title: str = ""
    context: list[str]
    expires_at: Time | None = None
    filter_action: Literal["none", "warn", "hide", "blur"]


class FilterResult(Struct):
    filter: Filter


class Status(Struct, kw_only=True):
    id: str
    url: str | None = None
    account: TimelineAccount
    in_reply_to_id: str | None = None
    reblog: "Status | None" = None
    content: str
    created_at: Time
    edited_at: Time | None = None
    emojis: list[Emoji]
    reblogs_count: Int32
    favourites_count: Int32
    replies_count: Int32
    reblogged: bool = False
    favourited: bool = False
    bookmarked: bool = False
    sensitive: bool
    spoiler_text: str
    visibility: str
    media_attachments: list[Attachment]
    mentions: list[Mention]
    tags: list[HashTag] = []
    pinned: bool = False
    muted: bool = False
    poll: Poll | None = None
    card: Card | None = None
    filtered: list[FilterResult] | None = None


class Notification(Struct):
    type: str
    id: str
    account: TimelineAccount
    status: Status | None = None


class Waiting(Struct):
    pending_requests_count: Int32
    pending_notifications_count: Int32


class Policy(Struct):
    for_not_following: Literal["accept", "filter", "drop"]
    for_not_followers: Literal["accept", "filter", "drop"]
    for_new_accounts: Literal["accept", "filter", "drop"]
    for_private_mentions: Literal["accept", "filter", "drop"]
    for_limited_accounts: Literal["accept", "filter", "drop"]
    summary: Waiting


class NotificationRequest(Struct):
    id: str
    account: Account
    notifications_count: Digits  # its decoder reads numbers from text


class Relationship(Struct, kw_only=True):
    id: str
    following: bool
    followed_by: bool
    blocking: bool
    muting: bool
    muting_notifications: bool
    requested: bool
    showing_reblogs: bool
    domain_blocking: bool
    note: str | None = None
    notifying: bool | None = None


class OfAccounts(Struct):
    max_featured_tags: Int32
    max_profile_fields: Int32 | None


class OfMedia(Struct):
    image_size_limit: int | None = None
    video_size_limit: int | None = None


class Configuration(Struct):
    accounts: OfAccounts | None = None
    media_attachments: OfMedia | None = None


class Rule(Struct):
    id: str
    text: str


class Instance(Struct, kw_only=True):
    domain: str
    version: str
    configuration: Configuration | None = None
    rules: list[Rule] = []
    api_versions: dict[str, Int32] | None = None


class OfMediaV1(Struct):
    supported_mime_types: list[str] = []
    image_size_limit: Int32 | None = None
    image_matrix_limit: Int32 | None = None
    video_size_limit: Int32 | None = None
    video_frame_rate_limit: Int32 | None = None
    video_matrix_limit: Int32 | None = None


class OfPollsV1(Struct):
    max_options: Int32 | None = None
    min_expiration: Int32 | None = None
    max_expiration: Int32 | None = None


class ConfigurationV1(Struct):
    media_attachments: OfMediaV1 | None = None
    polls: OfPollsV1 | None = None


class InstanceV1(Struct):
    uri: str
    version: str
    configuration: ConfigurationV1 | None = None
    rules: list[Rule] = []


class PushSubscription(Struct):
    id: Int32
    endpoint: str
    alerts: dict[str, bool]
    server_key: str


class FilterV1(Struct, kw_only=True):
    id: str
    phrase: str
    context: list[str]
    expires_at: Time | None = None
    irreversible: bool
    whole_word: bool


class List(Struct):
    id: str
    title: str
    exclusive: bool | None = None
    replies_policy: str | None = None


class ScheduledParams(Struct):
    text: str
    visibility: str
    sensitive: bool | None = None
    spoiler_text: str | None = None
    in_reply_to_id: str | None = None


class ScheduledStatus(Struct):
    id: str
    scheduled_at: str
    params: ScheduledParams
    media_attachments: list[Attachment]


class Conversation(Struct, kw_only=True):
    id: str
    accounts: list[TimelineAccount]
    last_status: Status | None = None
    unread: bool


class Context(Struct):
    ancestors: list[Status]
    descendants: list[Status]


class Edit(Struct, kw_only=True):
    content: str
    spoiler_text: str
    sensitive: bool
    created_at: Time
    account: TimelineAccount
    media_attachments: list[Attachment]
    emojis: list[Emoji]


class Use(Struct):
    day: str
    accounts: str
    uses: str


class TrendingTag(Struct):
    name: str
    history: list[Use]


class Search(Struct):
    accounts: list[TimelineAccount]
    statuses: list[Status]
    hashtags: list[HashTag]


class Marker(Struct):
    last_read_id: str
    version: Int32
    updated_at: Time


ANSWERS = {
    "/api/v1/instance": InstanceV1,
    "/api/v2/instance": Instance,
    "/api/v1/accounts/verify_credentials": Account,
    "/api/v1/accounts/{bob}": Account,
    "/api/v1/accounts/relationships?id[]={bob}": list[Relationship],
    "/api/v1/accounts/{alice}/statuses": list[Status],
    "/api/v1/timelines/home": list[Status],
    "/api/v1/timelines/public": list[Status],
    "/api/v1/bookmarks": list[Status],
    "/api/v1/statuses/{thread}/context": Context,
    "/api/v1/statuses/{thread}/history": list[Edit],
    "/api/v1/notifications": list[Notification],
    "/api/v2/notifications/policy": Policy,
    "/api/v1/notifications/requests": list[NotificationRequest],
    "/api/v1/conversations": list[Conversation],
    "/api/v1/push/subscription": PushSubscription,
    "/api/v1/filters": list[FilterV1],
    "/api/v2/filters": list[Filter],
    "/api/v1/lists": list[List],
    "/api/v1/scheduled_statuses": list[ScheduledStatus],
    "/api/v1/markers?timeline[]=home": dict[str, Marker],
    "/api/v1/trends/tags": list[TrendingTag],
    "/api/v1/followed_tags": list[HashTag],
    "/api/v1/custom_emojis": list[Emoji],
    "/api/v2/search?q=heard": Search,
}
