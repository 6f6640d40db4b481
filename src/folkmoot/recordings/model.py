"""What was kept of a Space, and what was taken out of it. Plain data."""

from enum import StrEnum

import msgspec

from folkmoot.gate import Facts
from folkmoot.spaces.model import Space

REDACTION_STEP_MS = 100
"""Ranges are taken out in whole steps of the tape."""


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """The recording of an ended Space: `[replay_start_ms, replay_end_ms)` of its timeline is its replay."""

    space: Space
    duration_ms: int
    closed_at_ms: int
    replay_start_ms: int = 0
    replay_end_ms: int

    def gate_facts(self) -> Facts:
        """Whoever may see the Space may hear it; its host's standing counts, no speaker's."""
        return self.space.gate_facts()


class Reason(StrEnum):
    """Why something was taken out. The public is told this, and no words of anybody."""

    PRIVATE_INFORMATION = "private_information"
    UNLAWFUL = "unlawful"
    OTHER = "other"
    CONSENT_WITHDRAWN = "consent_withdrawn"  # by a speaker, of their own words: nobody else can say it

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]


_SENTENCES = {
    Reason.PRIVATE_INFORMATION: "Private information was said here.",
    Reason.UNLAWFUL: "What was said here may not be published.",
    Reason.OTHER: "This part was taken out.",
    Reason.CONSENT_WITHDRAWN: "Somebody who spoke here took back their consent to being recorded.",
}


class ByRole(StrEnum):
    """As what somebody took something out."""

    HOST = "host"
    CO_HOST = "co_host"
    MODERATOR = "moderator"
    SPEAKER = "speaker"
    OPERATOR = "operator"  # from the server's command line


class Redaction(msgspec.Struct, frozen=True, kw_only=True):
    """A decision: `[from_ms, to_ms)` of a Space's timeline is taken out of every copy, for good.

    It is shown to whoever may see the Space. `applied_at_ms` is set once the tape itself is silent there.
    """

    id: int
    space_id: int
    from_ms: int
    to_ms: int
    reason: Reason
    by_role: ByRole
    decided_by: int | None
    decided_at_ms: int
    applied_at_ms: int | None = None

    def overlaps(self, from_ms: int, to_ms: int) -> bool:
        return self.from_ms < to_ms and from_ms < self.to_ms
