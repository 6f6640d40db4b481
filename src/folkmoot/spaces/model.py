"""A Space as plain data: what it is, who is in it, and what the machine must be told from outside.

Everything here is frozen. A new state is a new value; `members` is replaced as a whole and never changed in
place. Times are Unix ms. Account, post and Space ids are 64-bit integers here and strings in JSON.

`members` holds only people about whom the Space has something to remember: host, co-hosts, who is on stage, who
asks, who was invited, who was removed. Tens of thousands of listeners are none of its business, so the state
stays small enough to be read and written whole.
"""

from enum import StrEnum

import msgspec

from folkmoot.gate.model import Action, Kind, Reach, Standing, Subject
from folkmoot.gate.model import Facts as GateFacts
from folkmoot.gate.standings import keeps

STAGE_PLACES_MAX = 13
CO_HOSTS_MAX = 2
ASKING_MAX = 200
INVITATIONS_OPEN_MAX = 200
GUESTS_MAX = 2_000

HOLD_MS = 180_000
"""How long a live Space waits without a host or co-host connected on stage before it ends by itself."""
FIRST_CONNECT_GRACE_MS = 60_000
"""How long a seat waits for its first connection: a browser asks about the microphone in that time."""
RECONNECT_GRACE_MS = 30_000
"""How long a seat is kept for a person whose connection was lost."""


class SpaceState(StrEnum):
    SCHEDULED = "scheduled"
    LIVE = "live"
    ENDED = "ended"
    CANCELLED = "cancelled"

    @property
    def terminal(self) -> bool:
        return self in (SpaceState.ENDED, SpaceState.CANCELLED)


class Role(StrEnum):
    HOST = "host"
    CO_HOST = "co_host"
    SPEAKER = "speaker"
    LISTENER = "listener"

    @property
    def rank(self) -> int:
        """Who may mute or remove whom: only the higher rank the lower one."""
        return _RANKS[self]

    @property
    def commands(self) -> bool:
        return self in (Role.HOST, Role.CO_HOST)


_RANKS = {Role.HOST: 3, Role.CO_HOST: 2, Role.SPEAKER: 1, Role.LISTENER: 0}


class SpeakPolicy(StrEnum):
    """Who may ask to speak. Whoever was invited by name may speak under each of them."""

    EVERYONE = "everyone"
    FOLLOWED = "followed"
    INVITED = "invited"


class Audience(StrEnum):
    """Who may see and hear the Space, live and afterwards."""

    PUBLIC = "public"
    FOLLOWED = "followed"
    INVITED = "invited"


class EndReason(StrEnum):
    HOST_ENDED = "host_ended"
    PANIC = "panic"
    HOST_ABSENT = "host_absent"
    STOPPED = "stopped"
    TAPE_LOST = "tape_lost"
    STOOD_STILL = "stood_still"
    HOST_SUSPENDED = "host_suspended"
    REMOVED = "removed"  # the Space, by moderators


class NoticeKind(StrEnum):
    """Why somebody else hosts a Space than before, where everybody in it should know."""

    HOST_SUSPENDED = "host_suspended"
    HOST_GONE = "host_gone"


class MutedBy(StrEnum):
    SELF = "self"
    HOST = "host"


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What everybody in a Space is told. `host_id` hosts it since then."""

    kind: NoticeKind
    at_ms: int
    host_id: int


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """What one Space knows about one account.

    `seat` is the number of the present stint on stage. Host and co-hosts keep their role, and their place among
    the 13, while they have no seat; a speaker is whoever else has one. `grace_until_ms` is set while the seat's
    connection is awaited. `guest_as` remembers an invitation after it was answered: SPEAKER for one to the stage,
    LISTENER for one to listen only. `muted_until_ms`: until then nobody but a host lets them speak, whatever seat
    they have; `removed_until_ms`: until then they are removed, None without end. `had_asked`: to speak, when they
    were removed; not somebody whose name a host only typed.
    """

    account_id: int
    role: Role = Role.LISTENER
    seat: int | None = None
    grace_until_ms: int | None = None
    muted_by: MutedBy | None = None
    consented_at_ms: int | None = None
    asking_since_ms: int | None = None
    invited_as: Role | None = None
    guest_as: Role | None = None
    removed: bool = False
    removed_until_ms: int | None = None
    had_asked: bool = False
    muted_until_ms: int | None = None

    @property
    def standing(self) -> Standing:
        """Within this Space: what the table of gate/standings.py is about."""
        if self.removed:
            return Standing.REMOVED
        return Standing.ACTIVE if self.muted_until_ms is None else Standing.MUTED

    def keeps(self, action: Action) -> bool:
        """Whether the hosts left somebody an action in this Space."""
        return keeps(Kind.MEMBER, self.standing, action)

    def as_of(self, now_ms: int) -> "Member":
        """Without what is over by the clock."""
        member = self
        if member.removed_until_ms is not None and member.removed_until_ms <= now_ms:
            member = msgspec.structs.replace(member, removed=False, removed_until_ms=None, had_asked=False)
        if member.muted_until_ms is not None and member.muted_until_ms <= now_ms:
            member = msgspec.structs.replace(member, muted_until_ms=None)
        return member

    @property
    def on_stage(self) -> bool:
        return self.seat is not None

    @property
    def connected(self) -> bool:
        return self.seat is not None and self.grace_until_ms is None

    @property
    def asking(self) -> bool:
        return self.asking_since_ms is not None

    @property
    def guest(self) -> bool:
        return self.guest_as is not None

    @property
    def belongs(self) -> bool:
        """May see and hear the Space whatever its audience."""
        return not self.removed and (self.guest or self.role is not Role.LISTENER)

    @property
    def guest_speaker(self) -> bool:
        return self.guest_as is Role.SPEAKER

    @property
    def blank(self) -> bool:
        """Nothing to remember: a listener like any other."""
        return self.role is Role.LISTENER and not (
            self.on_stage
            or self.asking
            or self.invited_as
            or self.guest
            or self.removed
            or self.muted_until_ms is not None
        )


class Space(msgspec.Struct, frozen=True, kw_only=True):
    """The whole state of one Space. `host_id` is who hosts it now, `creator_id` who made it.

    `roster_version` grows whenever somebody's seat, role, mute or connection changes, or something is taken out of
    the sound, so that clients fetch the names and the marks anew.
    """

    id: int
    title: str
    topics: tuple[str, ...]
    language: str
    creator_id: int
    host_id: int
    audience: Audience
    speak_policy: SpeakPolicy
    recorded: bool
    created_at_ms: int
    state: SpaceState = SpaceState.SCHEDULED
    locked: bool = False
    scheduled_at_ms: int | None = None
    started_at_ms: int | None = None
    ended_at_ms: int | None = None
    ended_reason: EndReason | None = None
    hold_until_ms: int | None = None
    announcement_post_id: int | None = None
    pinned_post_id: int | None = None
    roster_version: int = 0
    next_seat: int = 1
    notice: Notice | None = None
    members: dict[int, Member]

    def as_of(self, now_ms: int) -> "Space":
        """Without what is over by the clock: also where nobody has written that down yet."""
        now = {account_id: member.as_of(now_ms) for account_id, member in self.members.items()}
        if now == self.members:
            return self
        return msgspec.structs.replace(
            self, members={one: member for one, member in now.items() if not member.blank}
        )

    def member(self, account_id: int) -> Member:
        """The account's membership; for an account that nothing is known about, a blank one."""
        return self.members.get(account_id) or Member(account_id=account_id)

    @property
    def stage(self) -> list[Member]:
        """Who is on stage, by seat number."""
        seated = [(member.seat, member) for member in self.members.values() if member.seat is not None]
        return [member for _, member in sorted(seated, key=lambda pair: pair[0])]

    @property
    def roster(self) -> dict[int, tuple[Role, int | None, bool, MutedBy | None, int | None]]:
        """What everybody may know about who leads and speaks: role, seat, whether connected, who muted them, and
        until when."""
        return {
            member.account_id: (member.role, member.seat, member.connected, member.muted_by, member.muted_until_ms)
            for member in self.members.values()
            if member.role is not Role.LISTENER
        }

    @property
    def queue(self) -> list[Member]:
        """Who asks to speak, the longest waiting first."""
        asking = [
            (member.asking_since_ms, member.account_id, member)
            for member in self.members.values()
            if member.asking_since_ms is not None
        ]
        return [member for _, _, member in sorted(asking, key=lambda entry: entry[:2])]

    @property
    def co_hosts(self) -> list[Member]:
        return [member for member in self.members.values() if member.role is Role.CO_HOST]

    @property
    def places_taken(self) -> int:
        """Places of the 13 that are taken: each speaker, and host and co-hosts whether seated or not."""
        return sum(member.role is not Role.LISTENER for member in self.members.values())

    @property
    def invitations_open(self) -> int:
        return sum(member.invited_as is not None for member in self.members.values())

    def gate_facts(self) -> GateFacts:
        """Who may see it (`gate.admit`): its host's standing counts, and its audience.

        Who was removed sees a public Space as everybody does without an account, and nothing of another.
        """
        members = self.members.values()
        named = frozenset(member.account_id for member in members if member.belongs)
        closed = self.audience is not Audience.PUBLIC
        barred = frozenset(member.account_id for member in members if closed and member.removed)
        itself = (Subject(Kind.SPACE, self.id),)
        return GateFacts((self.host_id,), _REACH[self.audience], named, barred, itself)

    def seated(self, seat: int) -> Member | None:
        return next((member for member in self.members.values() if member.seat == seat), None)

    @property
    def next_deadline_ms(self) -> int | None:
        """When the next `Tick` has something to do; None if nothing is waited for."""
        members = self.members.values()
        ends = [at for member in members for at in (member.removed_until_ms, member.muted_until_ms)]
        graces = [member.grace_until_ms for member in members] if self.state is SpaceState.LIVE else []
        return min((at for at in (self.hold_until_ms, *graces, *ends) if at is not None), default=None)


_REACH = {Audience.PUBLIC: Reach.PUBLIC, Audience.FOLLOWED: Reach.FOLLOWED, Audience.INVITED: Reach.NAMED}


class AccountFacts(msgspec.Struct, frozen=True, kw_only=True):
    """How one account in good standing stands to the Space's present host."""

    followed_by_host: bool = False
    blocked: bool = False
    """Either of the two blocks the other."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the machine can't know by itself about the accounts that a command concerns (who gives it, whom it
    names). Who isn't listed doesn't exist or isn't in good standing, and is refused: closed by default.
    `others` answers for everybody who isn't listed, for questions of the kind "is there anybody whom…".
    """

    accounts: dict[int, AccountFacts]
    others: AccountFacts | None = None

    def about(self, account_id: int) -> AccountFacts | None:
        return self.accounts.get(account_id, self.others)


class Draft(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody says who makes a Space; the body of POST /api/folkmoot/v1/spaces.

    `recorded` left out means: yes for a public Space, no for a closed one.
    """

    title: str
    topics: tuple[str, ...] = ()
    language: str = "en"
    audience: Audience = Audience.PUBLIC
    speak_policy: SpeakPolicy = SpeakPolicy.EVERYONE
    recorded: bool | None = None
    scheduled_at_ms: int | None = None
