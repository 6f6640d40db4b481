"""Reports, as plain data."""

from enum import StrEnum

import msgspec

from folkmoot.gate import Facts, Reach

COMMENT_CHARACTERS_MAX = 1_000
POSTS_MAX = 20
PER_HOUR_MAX = 20


class Category(StrEnum):
    """What a report says is wrong; the values are those of the Mastodon API."""

    SPAM = "spam"
    LEGAL = "legal"
    VIOLATION = "violation"  # of this server's rules
    OTHER = "other"


class Resolution(StrEnum):
    """What a report led to."""

    NOTHING = "nothing"
    LIMITED = "limited"
    SUSPENDED = "suspended"
    LOCKED = "locked"
    REMOVED = "removed"  # the Space or the clip that was reported


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What a report is about, besides an account: all of it was shown to the reporter. `at_ms`: a moment of the
    Space's timeline."""

    post_ids: tuple[int, ...] = ()
    space_id: int | None = None
    at_ms: int | None = None
    clip_id: int | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A report. `reporter_id` is for moderators and the reporter, never for the one it is about."""

    id: int
    reporter_id: int | None
    target_id: int
    about: About
    category: Category
    comment: str
    assigned_to: int | None
    resolution: Resolution | None
    resolved_by: int | None
    resolved_at_ms: int | None
    created_at_ms: int
    changed_at_ms: int

    def gate_facts(self) -> Facts:
        """Its reporter's own, and kept from whom it is about; moderators are admitted by their permit."""
        reporter = self.reporter_id if self.reporter_id is not None else self.target_id
        return Facts((reporter,), Reach.NAMED, barred_ids=frozenset({self.target_id}))
