"""What the gate speaks of: viewers, standings, actions, stamps, and the errors it refuses with. Pure data."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Protocol

import msgspec


class Kind(StrEnum):
    """What can be under a sanction, each with a table of its own (gate/standings.py)."""

    ACCOUNT = "account"
    SPACE = "space"
    MEMBER = "member"  # somebody within one Space, by its hosts: kept by the Space itself
    CLIP = "clip"
    APPLICATION = "application"
    HOST = "host"  # of another network


class Subject(msgspec.Struct, frozen=True):
    """One thing that a decision is about. `id` is a number, for a host its name in ASCII (`gate/hosts.py`)."""

    kind: Kind
    id: int | str

    @property
    def text(self) -> str:
        """As revocation counters and events name it."""
        return f"{self.kind.value}:{self.id}"


class Standing(StrEnum):
    """How somebody or something stands with this server; which kinds know which is in gate/standings.py. What is
    under no sanction is active."""

    ACTIVE = "active"
    LIMITED = "limited"  # seen by followers only, in no public list
    AWAITING_APPROVAL = "awaiting_approval"
    SUSPENDED = "suspended"
    DEACTIVATED = "deactivated"  # by the person
    LOCKED = "locked"  # by the system: stolen credentials
    MUTED = "muted"  # a Space, or somebody in one
    REMOVED = "removed"  # a Space, a clip, or somebody from a Space
    STOPPED = "stopped"  # an application

    __hash__ = str.__hash__  # an enum's own is in Python, and each thing on a page is looked up by it


class Role(StrEnum):
    MEMBER = "member"
    MODERATOR = "moderator"
    OWNER = "owner"


class Action(StrEnum):
    """Everything that an account can do or hold open. What `standings.TABLE` doesn't list is refused."""

    READ = "read"  # open any surface as oneself
    EDIT_PROFILE = "edit_profile"
    FOLLOW = "follow"
    BLOCK = "block"
    REPORT = "report"  # something to the moderators
    POST = "post"
    DELETE_POST = "delete_post"
    MARK = "mark"  # a post: favourite, bookmark, hear no more of its conversation
    UPLOAD = "upload"
    CLIP = "clip"
    OPEN_SPACE = "open_space"
    TAKE_PART = "take_part"  # ask, accept, react, steer a Space that one hosts
    SPEAK = "speak"
    LISTEN = "listen"  # as oneself; anonymous listening needs no account
    AUTHORIZE = "authorize"  # let an application act for one
    INVITE = "invite"  # make links by which others sign up
    REDACT = "redact"  # take a range out of a Space's sound, as one of its hosts or a moderator
    MODERATE = "moderate"
    DEACTIVATE = "deactivate"  # oneself
    COME_BACK = "come_back"  # after one deactivated oneself
    # What a suspended person keeps.
    SIGN_IN = "sign_in"
    SEE_STANDING = "see_standing"
    APPEAL = "appeal"
    EXPORT = "export"
    TAKE_BACK_CONSENT = "take_back_consent"  # to having been recorded
    LEAVE = "leave"  # have one's account deleted, or take that back in time


ROOM_ONLY = "room"
"""Among the scopes of a credential that was made while its account was suspended: a lift doesn't widen it."""


class Sanction(msgspec.Struct, frozen=True):
    """A standing that somebody gave an account, a Space, … `until_ms`: Unix ms, None without end. Lifted, it is
    history. `private_note` is for moderators only."""

    standing: Standing
    reason: str = ""
    until_ms: int | None = None
    id: int = 0
    decided_by: int | None = None  # an account, or None for the system
    decided_at_ms: int = 0
    lifted_by: int | None = None
    lifted_at_ms: int | None = None
    private_note: str = ""

    def in_force(self, now_ms: int) -> bool:
        """By the clock alone: no job has to run for a time to be over."""
        return self.lifted_at_ms is None and (self.until_ms is None or now_ms < self.until_ms)


class Serves(StrEnum):
    """The kind of viewer that a surface serves; without one it cannot be registered."""

    ANYONE = "anyone"  # no account needed; whoever shows a credential must be able to READ
    ALIKE = "alike"  # the same for everybody: credentials are not looked at, so one cache may answer all
    SIGNED_IN = "signed_in"
    ROOM = "room"  # any account that can sign in, also a suspended one: reason, appeal, export
    MODERATOR = "moderator"
    NOBODY = "nobody"  # shows nothing that anybody published: sign-up, tokens, static files, health


class Stamp(msgspec.Struct, frozen=True, array_like=True):
    """A subject and the revocation counter under which a credential or lease was made."""

    subject: str
    counter: int


class Viewer(msgspec.Struct, frozen=True):
    """Who looks or acts. Made by `Gate.identify`; `ANONYMOUS` is everybody without an account."""

    account_id: int | None = None
    role: Role = Role.MEMBER
    standing: Standing = Standing.ACTIVE
    scopes: frozenset[str] = frozenset()
    token_id: int | None = None
    application_id: int | None = None
    stamps: tuple[Stamp, ...] = ()
    expires_at_ms: int | None = None  # the credential, by the clock alone

    @property
    def id(self) -> int:
        """The account's id; only for viewers that a SIGNED_IN surface has let in."""
        assert self.account_id is not None
        return self.account_id


ANONYMOUS = Viewer()


class Reach(StrEnum):
    """Whom a published thing is for, besides its first owner and those it names."""

    PUBLIC = "public"
    UNLISTED = "unlisted"  # public, in no public list
    FOLLOWERS = "followers"  # of its first owner
    FOLLOWED = "followed"  # those whom its first owner follows
    NAMED = "named"  # only those it names


class Facts(msgspec.Struct, frozen=True):
    """What the gate needs to know of a thing to decide who may see it. Raises ValueError without an owner."""

    owner_ids: tuple[int, ...]  # who published it, then whoever is quoted in it: each has to be visible
    reach: Reach = Reach.PUBLIC
    named_ids: frozenset[int] = frozenset()
    barred_ids: frozenset[int] = frozenset()  # who may not see it, whatever else lets them
    subjects: tuple[Subject, ...] = ()  # what can itself be removed: the Space, the clip

    def __post_init__(self) -> None:
        if not self.owner_ids:
            raise ValueError("a thing without an owner would be shown to everybody, whoever loses the right")


class Gated(Protocol):
    """Anything that can be shown to somebody."""

    def gate_facts(self) -> Facts: ...


class Refused(Exception):
    """The gate, or a rule behind it, says no: `code` for programs, `sentence` for people, `headers` over HTTP."""

    def __init__(
        self, code: str, sentence: str, *, status: int = 403, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.status = status
        self.headers = dict(headers or {})


def invalid(sentence: str) -> Refused:
    """What was sent can't be: in the words in which Mastodon says so."""
    return Refused("validation_failed", f"Validation failed: {sentence}", status=422)


def account_subject(account_id: int) -> str:
    return f"account:{account_id}"


def account_of(stamps: Iterable[Stamp]) -> int | None:
    """The account that something was granted to, by its stamps; None for nobody's."""
    for stamp in stamps:
        kind, _, number = stamp.subject.partition(":")
        if kind == "account":
            return int(number)
    return None


def token_subject(token_id: int) -> str:
    return f"token:{token_id}"


def application_subject(application_id: int) -> str:
    """Every token of a program, and what was opened with them."""
    return Subject(Kind.APPLICATION, application_id).text


def space_subject(space_id: int) -> str:
    return Subject(Kind.SPACE, space_id).text


def clip_subject(clip_id: int) -> str:
    return Subject(Kind.CLIP, clip_id).text


def seat_subject(space_id: int, seat: int) -> str:
    return f"seat:{space_id}:{seat}"


def resume_subject(space_id: int, seat: int, first_connection: str) -> str:
    """Raised whenever what began with this connection of the seat is resumed: what resumes it works once."""
    return f"resume:{space_id}:{seat}:{first_connection}"


def program_subject(space_id: int, seat: int) -> str:
    """Raised whenever another key for a program is made for the seat."""
    return f"program:{space_id}:{seat}"


def audience_subject(space_id: int) -> str:
    """Everybody who listens to a Space, and nobody's seat."""
    return f"audience:{space_id}"


def member_subject(space_id: int, account_id: int) -> str:
    return f"member:{space_id}:{account_id}"
