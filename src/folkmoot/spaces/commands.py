"""What people can tell a Space to do, and what the machinery reports to it.

`Command` is the JSON body of POST /api/folkmoot/v1/spaces/{id}/commands, decoded straight by msgspec:
`{"do": "let_up", "account": "1234"}`. Ids are strings in JSON, for JavaScript rounds integers above 2^53. They are
kept as validated strings (so that the OpenAPI document needs no hook) and read as integers through `account_id`
and `post_id`. An unknown field is an error: a mistyped `recording_consent` must not pass for a missing one.

`Observation` is told by the program itself and has no JSON form, so that nobody can send one.
"""

import re
from typing import Annotated, Literal

import msgspec

from folkmoot.spaces.model import EndReason, Role

ID_MAX = 2**63 - 1

IdText = Annotated[
    str, msgspec.Meta(pattern="^[1-9][0-9]{0,18}$", max_length=19, description="An id: digits in a string.")
]


def read_id(text: str) -> int:
    """The id in canonical decimal digits. Raises ValueError; while decoding msgspec makes that its own error."""
    if re.fullmatch("[1-9][0-9]{0,18}", text) is None or int(text) > ID_MAX:
        raise ValueError("an id is a string of digits, at most 9223372036854775807")
    return int(text)


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class _Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="do", tag=_snake):
    pass


class AccountCommand(_Command, frozen=True):
    """A command about somebody: the part that all of these share."""

    account: IdText

    def __post_init__(self) -> None:
        read_id(self.account)

    @property
    def account_id(self) -> int:
        return int(self.account)


class Start(_Command, frozen=True):
    """Go live. Who starts a recorded Space thereby agrees to being recorded, and gets seat 1."""


class End(_Command, frozen=True):
    pass


class Cancel(_Command, frozen=True):
    pass


class Panic(_Command, frozen=True):
    """End the stage at once; the recording is kept."""


class Ask(_Command, frozen=True):
    """Ask to speak. With consent, being let up gives the seat at once; without, an invitation to accept."""

    recording_consent: bool = False


class Unask(_Command, frozen=True):
    pass


class Invite(AccountCommand, frozen=True):
    """Invite to speak, to co-host, or to listen. A new invitation replaces an open one for another role."""

    role: Literal["speaker", "co_host", "listener"] = "speaker"

    @property
    def invited_role(self) -> Role:
        return Role(self.role)


class Uninvite(AccountCommand, frozen=True):
    pass


class Accept(_Command, frozen=True):
    """Take up an invitation. Host and co-hosts have a standing one: it gives them a seat when they have none."""

    recording_consent: bool = False


class Decline(_Command, frozen=True):
    pass


class LetUp(AccountCommand, frozen=True):
    pass


class StepDown(_Command, frozen=True):
    pass


MUTE_SECONDS_MAX = 86_400
REMOVE_SECONDS_MAX = 31_536_000


class Mute(AccountCommand, frozen=True):
    """Mute oneself, or somebody of lower rank. Only the person can unmute; not, either, for so many seconds."""

    seconds: Annotated[int, msgspec.Meta(ge=1, le=MUTE_SECONDS_MAX)] | None = None


class LetSpeak(AccountCommand, frozen=True):
    """End somebody's mute before its time is over: they can unmute."""


class Unmute(_Command, frozen=True):
    """Unmute oneself."""


class MuteAll(_Command, frozen=True):
    """Mute every speaker; host and co-hosts keep their microphones."""


class Remove(AccountCommand, frozen=True):
    """Until let back, or for so many seconds."""

    seconds: Annotated[int, msgspec.Meta(ge=1, le=REMOVE_SECONDS_MAX)] | None = None


class LetBack(AccountCommand, frozen=True):
    pass


class Lock(_Command, frozen=True):
    pass


class Unlock(_Command, frozen=True):
    pass


class MakeCoHost(AccountCommand, frozen=True):
    """Make somebody who is on stage a co-host; others are invited."""


class UnmakeCoHost(AccountCommand, frozen=True):
    """Back to speaker. A co-host can resign this way."""


class HandOver(AccountCommand, frozen=True):
    """Make a co-host, or a speaker on stage, the host."""


class Pin(_Command, frozen=True):
    post: IdText

    def __post_init__(self) -> None:
        read_id(self.post)

    @property
    def post_id(self) -> int:
        return int(self.post)


class Unpin(_Command, frozen=True):
    pass


class Edit(_Command, frozen=True):
    """What is left out stays as it is."""

    title: str | None = None
    topics: tuple[str, ...] | None = None


class Consent(_Command, frozen=True):
    """Agree to the recording, or take that back, which leads off a recorded stage."""

    recording_consent: bool


Command = (
    Start
    | End
    | Cancel
    | Panic
    | Ask
    | Unask
    | Invite
    | Uninvite
    | Accept
    | Decline
    | LetUp
    | StepDown
    | Mute
    | LetSpeak
    | Unmute
    | MuteAll
    | Remove
    | LetBack
    | Lock
    | Unlock
    | MakeCoHost
    | UnmakeCoHost
    | HandOver
    | Pin
    | Unpin
    | Edit
    | Consent
)


class SeatConnected(msgspec.Struct, frozen=True):
    """The stage hears from this seat. A refusal means: close that connection, nobody holds the seat."""

    seat: int


class SeatLost(msgspec.Struct, frozen=True):
    seat: int


class Tick(msgspec.Struct, frozen=True):
    """Time has passed. Deadlines take effect by this alone (`Space.next_deadline_ms` says when the next is due):
    who comes back late but before the tick is back in time."""


class StandingLost(msgspec.Struct, frozen=True):
    """The account may no longer take part in anything (suspended, deactivated). If it hosts, a co-host carries on,
    or who is named as `successor`."""

    account_id: int
    successor: int | None = None
    suspended: bool = False


class MemberBlocked(msgspec.Struct, frozen=True):
    """The host blocked the account, or the account the host."""

    account_id: int


class Stop(msgspec.Struct, frozen=True):
    """The Space is ended from outside: by a moderator, or because it can't go on."""

    reason: EndReason = EndReason.STOPPED


Observation = SeatConnected | SeatLost | Tick | StandingLost | MemberBlocked | Stop
