"""Posts and what hangs on them, as plain data."""

from enum import StrEnum

import msgspec

from folkmoot.gate import Facts, Reach

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

    __hash__ = str.__hash__  # as in gate/model.py

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


class QuotePolicy(StrEnum):
    """Who may quote a post besides its author; the values are those of the Mastodon API."""

    PUBLIC = "public"
    FOLLOWERS = "followers"
    NOBODY = "nobody"


class QuoteState(StrEnum):
    """What became of a quote, whoever looks."""

    ACCEPTED = "accepted"
    REVOKED = "revoked"  # by who is quoted
    DELETED = "deleted"  # what is quoted
    UNLISTED = "unlisted"  # in a public list only: whoever is quoted stands in none


class Quoted(msgspec.Struct, frozen=True):
    """What a post quotes, as far as it is known without reading that. Of what was deleted hardly anything is."""

    id: int
    state: QuoteState
    account_id: int = 0
    visibility: Visibility = Visibility.FOLLOWERS

    def gate_facts(self) -> Facts:
        """As those of what is quoted: what is for some only can be quoted by its author only, for the same."""
        return Facts((self.account_id,), self.visibility.reach)


class PollDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A question that somebody wants to ask."""

    options: tuple[str, ...]
    lasts_s: int
    multiple: bool = False
    hide_totals: bool = False


class Poll(msgspec.Struct, frozen=True, kw_only=True):
    """A poll as it stands. `tallies` are the votes for each option, `voters` those who chose any."""

    id: int
    options: tuple[str, ...]
    multiple: bool
    hide_totals: bool  # until it is over
    expires_at_ms: int
    tallies: tuple[int, ...]
    voters: int

    def is_over(self, now_ms: int) -> bool:
        """By the clock alone: no job has to run for it."""
        return now_ms >= self.expires_at_ms


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to post. `space_id` is the Space that the post announces; what it answers and quotes has
    to be looked up through the gate when it is posted."""

    source: str
    visibility: Visibility = Visibility.PUBLIC
    spoiler_text: str = ""
    sensitive: bool = False
    language: str | None = None
    media_ids: tuple[int, ...] = ()
    poll: PollDraft | None = None
    in_reply_to_id: int | None = None
    quoted_id: int | None = None
    quote_policy: QuotePolicy = QuotePolicy.PUBLIC
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
    quotes_count: int = 0
    edited_at_ms: int | None = None
    poll: Poll | None = None
    quoted: Quoted | None = None
    quoted_by_boosted_id: int | None = None  # what the post that is boosted quotes
    named_by_boosted: tuple[int, ...] = ()  # whom the post that is boosted mentions
    quote_policy: QuotePolicy = QuotePolicy.PUBLIC
    circle: Circle | None = None  # of the closed Space whose announcement began the conversation

    @property
    def quotable_by(self) -> QuotePolicy:
        """Who may quote it besides its author. What is not for everybody is not for others to pass on."""
        return self.quote_policy if self.visibility in FOR_ALL and self.circle is None else QuotePolicy.NOBODY

    @property
    def speaks_of(self) -> set[int]:
        """Whom it answers or mentions, or what it boosts mentions, besides who wrote it."""
        answered = {self.in_reply_to_account_id} - {None, self.account_id}
        return {one for one in (*answered, *self.mentions, *self.named_by_boosted) if one is not None}

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
    votes: tuple[int, ...] = ()  # the options that they chose in its poll
    follows_author: bool = False  # looked up where it decides whether they may quote it


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """What a post said from `written_at_ms` on. `media` are (id, description), `options` its poll's."""

    source: str
    html: str
    spoiler_text: str
    sensitive: bool
    language: str | None
    media: tuple[tuple[int, str], ...]
    options: tuple[str, ...]
    written_at_ms: int
