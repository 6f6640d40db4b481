"""Reports, as plain data."""

from enum import StrEnum

import msgspec

from folkmoot.gate import Facts, Reach
from folkmoot.posts.model import Version, Visibility

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


class ReportedPost(msgspec.Struct, frozen=True, kw_only=True):
    """A post as it was when it was reported: which version of it, word for word, and which files."""

    id: int
    visibility: Visibility
    created_at_ms: int
    version: Version


class ReportedFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file of a reported post, and where its bytes are."""

    id: int
    kind: str
    content_type: str
    object_key: str
    size_bytes: int
    is_clip: bool = False


class Evidence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was reported, as it was then. It stays as long as the report does, whatever its author deletes or
    changes. `clip_ms`: from where to where on the Space's timeline, whose sound itself is not in it."""

    posts: tuple[ReportedPost, ...] = ()
    files: tuple[ReportedFile, ...] = ()
    space_title: str | None = None
    clip_ms: tuple[int, int] | None = None


NO_EVIDENCE = Evidence()


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A report. `reporter_id` is for moderators and the reporter, never for the one it is about; the evidence is
    for moderators only."""

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
    evidence: Evidence = NO_EVIDENCE

    def gate_facts(self) -> Facts:
        """Its reporter's own, and kept from whom it is about; moderators are admitted by their permit."""
        reporter = self.reporter_id if self.reporter_id is not None else self.target_id
        return Facts((reporter,), Reach.NAMED, barred_ids=frozenset({self.target_id}))
