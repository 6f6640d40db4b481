"""Posts and what hangs on them, as plain data."""

from enum import StrEnum

import msgspec

from folkmoot.gate import Facts, Kind, Reach, Subject

CHARACTERS_MAX = 500
URL_CHARACTERS = 23
"""Every link counts as this many, as on Mastodon."""
MEDIA_MAX = 4


class Visibility(StrEnum):
    """Whom a post is for; the values are those of the Mastodon API."""

    PUBLIC = "public"
    UNLISTED = "unlisted"
    FOLLOWERS = "private"
    DIRECT = "direct"

    @property
    def reach(self) -> Reach:
        return _REACH[self]


_REACH = {
    Visibility.PUBLIC: Reach.PUBLIC,
    Visibility.UNLISTED: Reach.UNLISTED,
    Visibility.FOLLOWERS: Reach.FOLLOWERS,
    Visibility.DIRECT: Reach.NAMED,
}
FOR_ALL = frozenset({Visibility.PUBLIC, Visibility.UNLISTED})
"""What numbers tell of, and what can be boosted by others than its author."""


class Circle(msgspec.Struct, frozen=True):
    """Whom a closed Space is for, and with it the conversation below its announcement: its own people, as they are
    now, in place of the followers of whoever wrote a post there."""

    host_id: int
    reach: Reach
    named_ids: frozenset[int] = frozenset()
    barred_ids: frozenset[int] = frozenset()

    def facts(self, author_id: int) -> Facts:
        """Of something that one of its people wrote. What somebody wrote stays theirs to see and to delete."""
        owners = (self.host_id,) if author_id == self.host_id else (self.host_id, author_id)
        return Facts(owners, self.reach, self.named_ids | {author_id}, self.barred_ids - {author_id})


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to post. `space_id` is the Space that the post announces."""

    source: str
    visibility: Visibility = Visibility.PUBLIC
    spoiler_text: str = ""
    sensitive: bool = False
    language: str | None = None
    media_ids: tuple[int, ...] = ()
    idempotency_key: str | None = None
    application_id: int | None = None
    space_id: int | None = None


class Application(msgspec.Struct, frozen=True):
    """The program that a post was written with."""

    name: str
    website: str | None


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """A post as it is kept; `html` is safe and holds addresses of this server as `text.HERE`.

    A boost is one without words, of which `reblog_of_id` and `reblogged_account_id` say what it shows and whose.
    """

    id: int
    account_id: int
    visibility: Visibility
    source: str
    html: str
    conversation_id: int
    created_at_ms: int
    in_reply_to_id: int | None = None
    in_reply_to_account_id: int | None = None
    spoiler_text: str = ""
    sensitive: bool = False
    language: str | None = None
    mentions: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    application: Application | None = None
    space_id: int | None = None
    reblog_of_id: int | None = None
    reblogged_account_id: int | None = None
    replies_count: int = 0
    reblogs_count: int = 0
    favourites_count: int = 0
    circle: Circle | None = None  # of the closed Space whose announcement began the conversation

    def gate_facts(self) -> Facts:
        """Its author's standing counts; whoever it mentions may see it whatever its visibility.

        In a closed Space's conversation it is for the Space's people, mentioned or not; a direct post is for
        whom it mentions everywhere. Of a boost both have to be visible, who boosted and who wrote.
        """
        if self.reblogged_account_id is not None:
            return Facts((self.account_id, self.reblogged_account_id), self.visibility.reach)
        if self.circle is not None and self.visibility is not Visibility.DIRECT:
            return self.circle.facts(self.account_id)
        return Facts((self.account_id,), self.visibility.reach, frozenset(self.mentions))


class Thread(msgspec.Struct, frozen=True):
    """The conversation below a Space's announcement. It is the Space's: it goes on where the Space does, also when
    the announcement is shown to nobody any more because its author is suspended. `facts` are the Space's."""

    root: Post
    facts: Facts

    def gate_facts(self) -> Facts:
        return self.facts


class Mine(msgspec.Struct, frozen=True):
    """What one person did with a post. Shown to that person only."""

    favourited: bool = False
    reblogged: bool = False
    bookmarked: bool = False
    pinned: bool = False
    muted: bool = False


class TakenOut(msgspec.Struct, frozen=True):
    """A stretch of a sound that is silent by a decision: where in the file, why, and as what somebody decided."""

    id: str
    from_ms: int
    to_ms: int
    kind: str
    sentence: str
    by_role: str
    at_ms: int


class MediaDetails(msgspec.Struct, frozen=True):
    """What is known of a sound. `waveform` holds peaks of 0–255, one for each `waveform_step_ms`."""

    duration_ms: int
    bitrate: int = 0  # bit/s
    waveform: tuple[int, ...] = ()
    waveform_step_ms: int = 100
    taken_out: tuple[TakenOut, ...] = ()


class Media(msgspec.Struct, frozen=True, kw_only=True):
    """A file of an account, on its own or attached to a post, with the post's reach."""

    id: int
    account_id: int
    kind: str
    content_type: str
    object_key: str
    size_bytes: int
    description: str
    details: MediaDetails
    created_at_ms: int
    post_id: int | None = None
    clip_id: int | None = None
    post_visibility: Visibility | None = None
    post_mentions: tuple[int, ...] = ()
    post_circle: Circle | None = None

    def gate_facts(self) -> Facts:
        """Attached, it is for whom its post is for; on its own, and after its post is gone, for its owner.

        A clip has to be looked at together with its Space as well: `clips.model.Clip`.
        """
        facts = self._facts()
        if self.clip_id is None:
            return facts
        return msgspec.structs.replace(facts, subjects=(Subject(Kind.CLIP, self.clip_id),))

    def _facts(self) -> Facts:
        if self.post_visibility is None:
            return Facts((self.account_id,), Reach.NAMED)
        if self.post_circle is not None and self.post_visibility is not Visibility.DIRECT:
            return self.post_circle.facts(self.account_id)
        return Facts((self.account_id,), self.post_visibility.reach, frozenset(self.post_mentions))
