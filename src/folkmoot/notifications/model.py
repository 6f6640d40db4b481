"""What somebody is told. Plain data."""

from enum import StrEnum

import msgspec

from folkmoot.gate import Facts, Reach

KEPT_MS = 90 * 86_400_000
SOON_MS = 600_000
"""How long before it starts a Space starts soon."""
GROUP_SPAN_MS = 12 * 3_600_000
"""What is alike within half a day is one group."""


class Kind(StrEnum):
    """What happened. The values are the API's types; those of Spaces are ours (`type`), and that of what was
    scheduled."""

    MENTION = "mention"
    STATUS = "status"  # of somebody whose every post one wants to hear of
    REBLOG = "reblog"
    FOLLOW = "follow"
    FOLLOW_REQUEST = "follow_request"
    FAVOURITE = "favourite"
    POLL = "poll"
    UPDATE = "update"  # of a post that one boosted
    QUOTE = "quote"
    QUOTED_UPDATE = "quoted_update"
    SIGN_UP = "admin.sign_up"
    REPORT = "admin.report"
    WARNING = "moderation_warning"
    NOT_POSTED = "scheduled.refused"  # what one had scheduled, at its time
    SPACE_STARTING_SOON = "space.starting_soon"
    SPACE_LIVE = "space.live"
    SPACE_LET_UP = "space.let_up"
    SPACE_RECORDED = "space.recorded"

    @property
    def type(self) -> str:
        """As the API calls it: a program that knows no Spaces shows what announces one, like any post."""
        return Kind.STATUS.value if self in SPACES else self.value


SPACES = frozenset({Kind.SPACE_STARTING_SOON, Kind.SPACE_LIVE, Kind.SPACE_LET_UP, Kind.SPACE_RECORDED})
OF_POSTS = SPACES | {
    Kind.MENTION,
    Kind.STATUS,
    Kind.REBLOG,
    Kind.FAVOURITE,
    Kind.POLL,
    Kind.UPDATE,
    Kind.QUOTE,
    Kind.QUOTED_UPDATE,
}
"""Those that show a post, and nothing where it may not be seen."""
FROM_STRANGERS = frozenset(
    {Kind.MENTION, Kind.REBLOG, Kind.FOLLOW, Kind.FOLLOW_REQUEST, Kind.FAVOURITE, Kind.QUOTE}
)
"""Those that a person may want from some people only."""
GROUPED = frozenset({Kind.FAVOURITE, Kind.REBLOG, Kind.FOLLOW, Kind.SIGN_UP})
NEWEST_ONLY = frozenset({Kind.UPDATE, Kind.QUOTED_UPDATE, Kind.NOT_POSTED})
"""Those that take the place of what was said before of the same post."""


class News(msgspec.Struct, frozen=True, kw_only=True):
    """What one person is to be told. `from_id`: whose doing it is; one's own id where it is nobody's."""

    account_id: int
    kind: Kind
    from_id: int
    post_id: int | None = None
    about_id: int | None = None  # the report, the sanction, the Space, or what was scheduled

    @property
    def about(self) -> dict[str, str | None]:
        """The same without whom it is told, as JSON: what one thing tells many people."""
        ids = {"from_id": self.from_id, "post_id": self.post_id, "about_id": self.about_id}
        return {"kind": self.kind.value} | {name: None if id_ is None else str(id_) for name, id_ in ids.items()}

    @property
    def key(self) -> str:
        """What happened: the same key is told once."""
        return f"{self.kind.value}/{self.post_id or 0}/{self.about_id or 0}/{self.from_id}"


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody was told."""

    id: int
    account_id: int
    kind: Kind
    from_id: int
    post_id: int | None
    about_id: int | None
    group_key: str
    filtered: bool
    created_at_ms: int

    def gate_facts(self) -> Facts:
        """For whom it tells, as long as they may see whose doing it is."""
        return Facts((self.from_id,), Reach.NAMED, frozenset({self.account_id}))


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which of one's notifications. `kinds` None: all."""

    kinds: frozenset[Kind] | None = None
    from_id: int | None = None
    include_filtered: bool = False


class Answer(StrEnum):
    """What becomes of news from somebody."""

    ACCEPT = "accept"
    FILTER = "filter"
    DROP = "drop"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """From whom somebody wants to be told."""

    for_not_following: Answer = Answer.ACCEPT
    for_not_followers: Answer = Answer.ACCEPT
    for_new_accounts: Answer = Answer.ACCEPT
    for_private_mentions: Answer = Answer.FILTER
    for_limited_accounts: Answer = Answer.FILTER


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """How whoever did it stands to whom it is told."""

    is_accepted: bool  # their request was
    is_followed: bool
    follows: bool
    is_new: bool
    is_limited: bool
    speaks_privately: bool  # directly, and not in answer


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's news that wait for a word: what the policy filtered of one person. `id`: of the first of it."""

    id: int
    account_id: int
    from_id: int
    newest_id: int
    count: int
    last_post_id: int | None
    created_at_ms: int
    updated_at_ms: int

    def gate_facts(self) -> Facts:
        return Facts((self.from_id,), Reach.NAMED, frozenset({self.account_id}))
