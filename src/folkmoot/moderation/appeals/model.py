"""An appeal. Plain data."""

from enum import StrEnum

import msgspec

from folkmoot.gate import Standing, Subject
from folkmoot.gate.model import Sanction

# What a moderator decided, and somebody else can decide anew.
APPEALABLE = frozenset({Standing.SUSPENDED, Standing.LIMITED, Standing.REMOVED, Standing.MUTED})


class AppealState(StrEnum):
    WAITING = "waiting"
    GRANTED = "granted"
    REJECTED = "rejected"


class Appeal(msgspec.Struct, frozen=True):
    """One text against one sanction, once. Times are Unix ms; `decided_by` None: nobody yet."""

    id: int
    sanction_id: int
    account_id: int
    text: str
    made_at_ms: int
    granted: bool | None = None
    answer: str = ""
    decided_by: int | None = None
    decided_at_ms: int | None = None

    @property
    def state(self) -> AppealState:
        if self.granted is None:
            return AppealState.WAITING
        return AppealState.GRANTED if self.granted else AppealState.REJECTED


class Case(msgspec.Struct, frozen=True):
    """An appeal with what it is against."""

    appeal: Appeal
    subject: Subject
    sanction: Sanction
