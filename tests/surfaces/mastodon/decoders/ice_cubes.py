"""Ice Cubes (Swift's Codable: what is not optional has to be there, of its type)."""

from typing import Literal

from msgspec import Struct
from tests.surfaces.mastodon.decoders.kinds import Digits, Time, Url


class Emoji(Struct):
    shortcode: str
    url: Url
    visible_in_picker: bool
    category: str | None = None


class Field(Struct):
    name: str
    value: str
    verified_at: str | None = None


class Source(Struct):
    sensitive: bool
    note: str
    fields: list[Field]
    privacy: Literal["public", "unlisted", "private", "direct"] | None = None
    language: str | None = None


class Account(Struct, kw_only=True):
    id: str
    username: str
    display_name: str | None = None
    avatar: Url
    header: Url
    acct: str
    note: str
    created_at: Time
    followers_count: int | None = None
    fields: list[Field]
    locked: bool
    emojis: list[Emoji]
    url: Url | None = None
    source: Source | None = None
    bot: bool


class Size(Struct):
    width: int | None = None
    height: int | None = None


class Meta(Struct):
    original: Size | None = None


class MediaAttachment(Struct):
    id: str
    type: str
    url: Url | None = None
    preview_url: Url | None = None
    description: str | None = None
    meta: Meta | None = None


class Mention(Struct):
    id: str
    username: str
    url: Url
    acct: str


class Tag(Struct):
    name: str
    url: str


class Option(Struct):
    title: str
    votes_count: int | None = None


class Poll(Struct, kw_only=True):
    id: str
    expires_at: Time | None
    expired: bool
    multiple: bool
    votes_count: int
    voters_count: int | None = None
    voted: bool | None = None
    own_votes: list[int] | None = None
    options: list[Option]


class CardAuthor(Struct):
    name: str
    url: str
    account: Account | None = None


class Card(Struct, kw_only=True):
    url: str
    title: str | None = None
    type: str
    image: Url | None = None
    width: float | None = None
    height: float | None = None
    authors: list[CardAuthor] | None = None


class FilterOutline(Struct):
    id: str
    title: str
    context: list[str]
    filter_action: Literal["warn", "hide"]


class Filtered(Struct):
    filter: FilterOutline
    keyword_matches: list[str] | None = None


class QuoteApproval(Struct):
    current_user: Literal["automatic", "manual", "denied", "unknown"]
    automatic: list[str]
    manual: list[str]


class Quote(Struct):
    state: str | None = None
    quoted_status: "Status | None" = None
    quoted_status_id: str | None = None


class Status(Struct, kw_only=True):
    id: str
    content: str
    account: Account
    created_at: Time
    edited_at: Time | None = None
    reblog: "Status | None" = None
    media_attachments: list[MediaAttachment]
    mentions: list[Mention]
    replies_count: int
    reblogs_count: int
    quotes_count: int | None = None
    favourites_count: int
    card: Card | None = None
    favourited: bool | None = None
    emojis: list[Emoji]
    url: str | None = None
    in_reply_to_id: str | None = None
    visibility: Literal["public", "unlisted", "private", "direct"]
    poll: Poll | None = None
    spoiler_text: str
    filtered: list[Filtered] | None = None
    sensitive: bool
    language: str | None = None
    tags: list[Tag]
    quote: Quote | None = None
    quote_approval: QuoteApproval | None = None


class Notification(Struct):
    id: str
    type: str
    created_at: Time
    account: Account
    status: Status | None = None
    group_key: str | None = None


class NotificationGroup(Struct, kw_only=True):
    group_key: str
    notifications_count: int
    type: str
    most_recent_notification_id: int
    page_min_id: str | None = None
    page_max_id: str | None = None
    latest_page_notification_at: Time
    sample_account_ids: list[str]
    status_id: str | None = None


class Grouped(Struct):
    accounts: list[Account]
    statuses: list[Status]
    notification_groups: list[NotificationGroup]


class Waiting(Struct):
    pending_requests_count: int
    pending_notifications_count: int


class Policy(Struct):
    for_not_following: Literal["accept", "filter", "drop"]
    for_not_followers: Literal["accept", "filter", "drop"]
    for_new_accounts: Literal["accept", "filter", "drop"]
    for_private_mentions: Literal["accept", "filter", "drop"]
    summary: Waiting


class NotificationRequest(Struct):
    id: str
    account: Account
    notifications_count: Digits


class OfStatuses(Struct):
    max_characters: int
    max_media_attachments: int


class OfPolls(Struct):
    max_options: int
    max_characters_per_option: int
    min_expiration: int
    max_expiration: int


class Configuration(Struct):
    statuses: OfStatuses
    polls: OfPolls


class Enabled(Struct):
    enabled: bool


class Contact(Struct):
    email: str
    account: Account | None = None


class Thumbnail(Struct):
    url: Url | None = None


class Instance(Struct, kw_only=True):
    title: str
    domain: str
    version: str
    languages: list[str] | None = None
    registrations: Enabled
    thumbnail: Thumbnail
    configuration: Configuration | None = None
    contact: Contact


class Alerts(Struct):
    follow: bool
    favourite: bool
    reblog: bool
    mention: bool
    poll: bool
    status: bool


class PushSubscription(Struct):
    id: int
    endpoint: Url
    server_key: str
    alerts: Alerts


class Keyword(Struct):
    id: str
    keyword: str
    whole_word: bool


class Filter(Struct, kw_only=True):
    id: str
    title: str
    keywords: list[Keyword]
    filter_action: Literal["warn", "hide"]
    context: list[Literal["home", "notifications", "public", "thread", "account"]]
    expires_at: Time | None = None


class List(Struct):
    id: str
    title: str
    replies_policy: Literal["followed", "list", "none"] | None = None
    exclusive: bool | None = None


class Position(Struct):
    last_read_id: str
    version: int
    updated_at: Time


class Markers(Struct):
    home: Position | None = None
    notifications: Position | None = None


class Conversation(Struct):
    id: str
    unread: bool
    accounts: list[Account]
    last_status: Status | None = None


class Context(Struct):
    ancestors: list[Status]
    descendants: list[Status]


class Edit(Struct):
    content: str
    created_at: Time
    emojis: list[Emoji]


class DayOfUse(Struct):
    day: str
    accounts: str
    uses: str


class KnownTag(Tag):
    history: list[DayOfUse]
    following: bool


class SearchResults(Struct):
    accounts: list[Account]
    statuses: list[Status]
    hashtags: list[Tag]


ANSWERS = {
    "/api/v2/instance": Instance,
    "/api/v1/accounts/verify_credentials": Account,
    "/api/v1/accounts/{bob}": Account,
    "/api/v1/accounts/{alice}/statuses": list[Status],
    "/api/v1/timelines/home": list[Status],
    "/api/v1/timelines/public": list[Status],
    "/api/v1/statuses/{thread}/context": Context,
    "/api/v1/statuses/{thread}/history": list[Edit],
    "/api/v1/notifications": list[Notification],
    "/api/v2/notifications": Grouped,
    "/api/v2/notifications/policy": Policy,
    "/api/v1/notifications/requests": list[NotificationRequest],
    "/api/v1/conversations": list[Conversation],
    "/api/v1/push/subscription": PushSubscription,
    "/api/v2/filters": list[Filter],
    "/api/v1/lists": list[List],
    "/api/v1/markers?timeline[]=home": Markers,
    "/api/v1/trends/tags": list[KnownTag],
    "/api/v1/followed_tags": list[KnownTag],
    "/api/v1/custom_emojis": list[Emoji],
    "/api/v2/search?q=heard": SearchResults,
}
