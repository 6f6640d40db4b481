"""What an account is to everybody who shows it or acts on it. Plain data."""

import msgspec

from folkmoot.accounts.portraits.model import Portrait
from folkmoot.gate import Facts, Role


class Field(msgspec.Struct, frozen=True):
    """A row of a profile's table, as written."""

    name: str
    value: str


class Account(msgspec.Struct, frozen=True):
    """A person as the others see them, with the counts that every client shows beside the name."""

    id: int
    username: str
    display_name: str
    note: str  # as written: plain text
    role: Role
    locked: bool
    created_at_ms: int
    followers_count: int
    following_count: int
    statuses_count: int
    last_post_id: int | None
    bot: bool = False
    discoverable: bool = True  # in the directory, among suggestions
    indexable: bool = False  # whose posts anybody may search
    hide_collections: bool = False  # whom it follows, and who follows it
    fields: tuple[Field, ...] = ()
    mentioned: tuple[str, ...] = ()  # accounts that note and fields name, in their own spelling
    avatar: Portrait | None = None
    header: Portrait | None = None

    def gate_facts(self) -> Facts:
        return Facts(owner_ids=(self.id,))


class Relationship(msgspec.Struct, frozen=True):
    """How a viewer and one account stand to each other. Not published by anybody: shown to the viewer only."""

    account_id: int
    following: bool = False
    requested: bool = False  # by the viewer; what follows is as they chose it for the one or the other
    showing_reblogs: bool = False
    notifying: bool = False
    languages: tuple[str, ...] | None = None  # None: all
    followed_by: bool = False
    requested_by: bool = False
    blocking: bool = False
    blocked_by: bool = False
    muting: bool = False
    muting_notifications: bool = False
    mute_ends_at_ms: int | None = None
    domain_blocking: bool = False
    endorsed: bool = False
    note: str = ""


class Counts(msgspec.Struct, frozen=True):
    """The server in numbers."""

    accounts: int
    active_in_month: int  # wrote or signed in during the last 30 days
    posts: int  # not deleted


class Week(msgspec.Struct, frozen=True):
    """Seven days of the server in numbers, from a Unix time on."""

    began_ms: int
    posts: int
    active: int  # wrote or signed in
    registrations: int


class Page(msgspec.Struct, frozen=True):
    """A page of a list that is ordered by id, newest first; Mastodon's three cursors.

    `max_id`: older than it; `since_id`: newer than it, the newest of those; `min_id`: newer than it, the page
    right after it.
    """

    limit: int
    max_id: int | None = None
    since_id: int | None = None
    min_id: int | None = None
