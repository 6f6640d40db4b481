"""A profile as it is changed. Plain data."""

import msgspec

from folkmoot.accounts.model import Field


class PostingDefaults(msgspec.Struct, frozen=True):
    """What a new post is if nothing is said about it."""

    privacy: str = "public"  # or unlisted, private
    sensitive: bool = False
    language: str | None = None  # None: found out from the text
    quote_policy: str = "public"  # or followers, nobody


class Changes(msgspec.Struct, frozen=True):
    """What is to be changed; None: as it is. Texts as written."""

    display_name: str | None = None
    note: str | None = None
    locked: bool | None = None
    bot: bool | None = None
    discoverable: bool | None = None
    indexable: bool | None = None
    hide_collections: bool | None = None
    fields: tuple[Field, ...] | None = None
    privacy: str | None = None
    sensitive: bool | None = None
    language: str | None = None  # "": none
    quote_policy: str | None = None
