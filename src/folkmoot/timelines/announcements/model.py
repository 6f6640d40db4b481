"""Announcements as plain data."""

import msgspec


class Reaction(msgspec.Struct, frozen=True):
    """An emoji, or the shortcode of one of this server's, and how many chose it. `me`: the viewer among them."""

    name: str
    count: int
    me: bool


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """The operator's words, plain text, for everybody who is signed in. The times say when it is about; once it has
    ended it is shown no more."""

    id: int
    text: str
    starts_at_ms: int | None
    ends_at_ms: int | None
    all_day: bool
    published_at_ms: int
    updated_at_ms: int
    read: bool = False  # by the viewer
    reactions: tuple[Reaction, ...] = ()
