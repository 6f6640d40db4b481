"""Elk, Phanpy, Pinafore and Semaphore (JavaScript: what is read without asking whether it is there)."""

from msgspec import Struct
from tests.surfaces.mastodon.decoders.kinds import Time, Url


class Emoji(Struct):
    shortcode: str
    url: Url
    static_url: Url
    visible_in_picker: bool


class Field(Struct):
    name: str
    value: str


class Account(Struct, kw_only=True):
    id: str
    acct: str
    username: str
    display_name: str
    note: str
    url: Url
    avatar: Url
    avatar_static: Url
    header: Url
    header_static: Url
    emojis: list[Emoji]
    fields: list[Field]
    bot: bool
    locked: bool
    created_at: Time
    followers_count: int
    following_count: int
    statuses_count: int


class Mention(Struct):
    id: str
    acct: str
    username: str
    url: Url


class Tag(Struct):
    name: str
    url: Url


class Attachment(Struct, kw_only=True):
    id: str
    type: str
    url: Url
    preview_url: Url | None
    meta: dict[str, object]
    description: str | None


class Option(Struct):
    title: str
    votes_count: int | None


class Poll(Struct, kw_only=True):
    id: str
    expires_at: Time
    expired: bool
    multiple: bool
    votes_count: int
    voters_count: int | None
    voted: bool
    own_votes: list[int]
    options: list[Option]
    emojis: list[Emoji]


class Status(Struct, kw_only=True):
    id: str
    uri: str
    url: Url
    created_at: Time
    edited_at: Time | None
    account: Account
    content: str
    spoiler_text: str
    sensitive: bool
    visibility: str
    language: str | None
    in_reply_to_id: str | None
    in_reply_to_account_id: str | None
    reblog: "Status | None"
    media_attachments: list[Attachment]
    mentions: list[Mention]
    tags: list[Tag]
    emojis: list[Emoji]
    poll: Poll | None
    filtered: list[dict[str, object]]
    replies_count: int
    reblogs_count: int
    favourites_count: int
    favourited: bool
    reblogged: bool
    bookmarked: bool
    muted: bool


class Notification(Struct):
    id: str
    type: str
    created_at: Time
    account: Account
    status: Status | None = None


class Streaming(Struct):
    streaming_api: str


class OfStatuses(Struct):
    max_characters: int
    max_media_attachments: int
    characters_reserved_per_url: int


class OfMedia(Struct):
    supported_mime_types: list[str]
    description_limit: int


class OfPolls(Struct):
    max_options: int
    max_characters_per_option: int
    min_expiration: int
    max_expiration: int


class Addresses(Struct):
    streaming: str


class Vapid(Struct):
    public_key: str


class Configuration(Struct):
    urls: Addresses
    vapid: Vapid
    statuses: OfStatuses
    media_attachments: OfMedia
    polls: OfPolls
    translation: dict[str, bool]


class InstanceV1(Struct):
    uri: str
    title: str
    version: str
    urls: Streaming
    stats: dict[str, int]
    configuration: Configuration


class Thumbnail(Struct):
    url: Url


class Instance(Struct):
    domain: str
    title: str
    version: str
    thumbnail: Thumbnail
    configuration: Configuration
    registrations: dict[str, object]
    rules: list[dict[str, str]]
    contact: dict[str, object]


class Context(Struct):
    ancestors: list[Status]
    descendants: list[Status]


class Search(Struct):
    accounts: list[Account]
    statuses: list[Status]
    hashtags: list[Tag]


class Conversation(Struct):
    id: str
    unread: bool
    accounts: list[Account]
    last_status: Status | None


Preferences = dict[str, str | bool | None]
ANSWERS = {
    "/api/v1/instance": InstanceV1,
    "/api/v2/instance": Instance,
    "/api/v1/preferences": Preferences,
    "/api/v1/custom_emojis": list[Emoji],
    "/api/v1/accounts/verify_credentials": Account,
    "/api/v1/accounts/{alice}/statuses": list[Status],
    "/api/v1/timelines/home": list[Status],
    "/api/v1/timelines/public": list[Status],
    "/api/v1/statuses/{thread}/context": Context,
    "/api/v1/notifications": list[Notification],
    "/api/v1/conversations": list[Conversation],
    "/api/v2/search?q=heard": Search,
}
