"""Filters as plain data. They are shown to their owner only."""

from enum import StrEnum

import msgspec


class Context(StrEnum):
    """Where a post is shown; the values are those of the Mastodon API."""

    HOME = "home"  # and lists
    NOTIFICATIONS = "notifications"
    PUBLIC = "public"
    THREAD = "thread"
    ACCOUNT = "account"


class Treatment(StrEnum):
    """What a client does with what a filter finds."""

    WARN = "warn"
    HIDE = "hide"
    BLUR = "blur"  # its media


class Keyword(msgspec.Struct, frozen=True):
    id: int
    keyword: str
    whole_word: bool


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """One of somebody's filters. `statuses` are (id of the entry, id of the post)."""

    id: int
    account_id: int
    title: str
    contexts: tuple[Context, ...]
    action: Treatment
    expires_at_ms: int | None = None
    keywords: tuple[Keyword, ...] = ()
    statuses: tuple[tuple[int, int], ...] = ()

    def in_force(self, now_ms: int) -> bool:
        return self.expires_at_ms is None or now_ms < self.expires_at_ms


class Found(msgspec.Struct, frozen=True):
    """Why a filter is about a post: words in it, or because somebody said so."""

    filter: Filter
    keywords: tuple[str, ...]
    post_ids: tuple[int, ...]
