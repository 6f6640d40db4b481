"""Moshidon, Megalodon and the official program for Android (Java with Gson: `@RequiredField` has to be there, a
number has to fit its `int`)."""

from typing import Literal

from msgspec import Struct
from tests.surfaces.mastodon.decoders.kinds import Int32, Time


class Named(Struct):
    name: str
    url: str


class Mention(Struct):
    id: str
    username: str
    acct: str
    url: str


class Account(Struct, kw_only=True):
    id: str
    created_at: Time
    last_status_at: str | None = None
    followers_count: int = 0


class Attachment(Struct):
    type: Literal["image", "gifv", "video", "audio", "unknown"]
    url: str


class Option(Struct):
    title: str
    votes_count: Int32 | None = None


class Poll(Struct, kw_only=True):
    id: str
    expires_at: Time | None = None
    voters_count: Int32 = 0
    votes_count: Int32 = 0
    own_votes: list[Int32] | None = None
    options: list[Option]


class Card(Struct, kw_only=True):
    url: str
    title: str
    description: str
    type: Literal["link", "photo", "video", "rich"]
    width: Int32 = 0
    height: Int32 = 0
    published_at: Time | None = None


class Status(Struct, kw_only=True):
    id: str
    uri: str
    created_at: Time
    account: Account
    visibility: Literal["public", "unlisted", "private", "direct"]
    spoiler_text: str
    mentions: list[Mention]
    tags: list[Named]
    media_attachments: list[Attachment] = []
    edited_at: Time | None = None
    reblog: "Status | None" = None
    poll: Poll | None = None
    card: Card | None = None


class Notification(Struct):
    id: str
    created_at: Time
    account: Account
    status: Status | None = None


class OfStatuses(Struct):
    max_characters: Int32 = 0
    characters_reserved_per_url: Int32 = 0


class OfMedia(Struct):
    supported_mime_types: list[str]
    image_size_limit: Int32
    image_matrix_limit: Int32
    video_size_limit: Int32
    video_frame_rate_limit: Int32
    video_matrix_limit: Int32


class Configuration(Struct):
    statuses: OfStatuses
    media_attachments: OfMedia


class Stats(Struct):
    user_count: Int32
    status_count: Int32
    domain_count: Int32


class Rule(Struct):
    id: str
    text: str


class Instance(Struct, kw_only=True):
    uri: str
    title: str
    description: str
    short_description: str
    email: str
    version: str
    languages: list[str]
    registrations: bool
    approval_required: bool
    invites_enabled: bool
    urls: dict[str, str]
    thumbnail: str | None = None
    contact_account: Account | None = None
    stats: Stats
    rules: list[Rule]
    configuration: Configuration


class Alerts(Struct):
    follow: bool
    favourite: bool
    reblog: bool
    mention: bool
    poll: bool
    status: bool


class PushSubscription(Struct):
    id: Int32
    endpoint: str
    standard: bool
    alerts: Alerts
    server_key: str
    policy: Literal["all", "followed", "follower", "none"]


class Filter(Struct):
    id: str
    title: str
    context: list[Literal["home", "notifications", "public", "thread", "account"]]


class Suggestion(Struct):
    account: Account


class List(Struct):
    id: str
    title: str


class Activity(Struct):
    week: str
    statuses: Int32 | str  # its decoder reads numbers from text
    logins: Int32 | str
    registrations: Int32 | str


class Search(Struct):
    accounts: list[Account]
    statuses: list[Status]
    hashtags: list[Named]


class Announcement(Struct):
    id: str
    content: str


ANSWERS = {
    "/api/v1/instance": Instance,
    "/api/v1/instance/activity": list[Activity],
    "/api/v1/accounts/verify_credentials": Account,
    "/api/v1/accounts/{alice}/statuses": list[Status],
    "/api/v1/timelines/home": list[Status],
    "/api/v1/timelines/public": list[Status],
    "/api/v1/notifications": list[Notification],
    "/api/v1/push/subscription": PushSubscription,
    "/api/v2/filters": list[Filter],
    "/api/v1/lists": list[List],
    "/api/v2/suggestions": list[Suggestion],
    "/api/v1/followed_tags": list[Named],
    "/api/v1/announcements": list[Announcement],
    "/api/v2/search?q=heard": Search,
}
