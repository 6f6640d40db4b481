"""A range of addresses that is stopped. Plain data."""

from enum import StrEnum

import msgspec

from folkmoot.moderation.networks.rules import Network


class Severity(StrEnum):
    """What is stopped, from the mildest on. The words are those of Mastodon's API."""

    APPROVAL = "sign_up_requires_approval"
    SIGN_UP = "sign_up_block"
    NO_ACCESS = "no_access"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


class Stop(msgspec.Struct, frozen=True):
    """One decision about a network. `until_ms`: Unix ms, None without end."""

    id: int
    network: Network
    severity: Severity
    reason: str
    until_ms: int | None
    decided_by: int | None  # an account, or None for the operator
    decided_at_ms: int

    def in_force(self, now_ms: int) -> bool:
        """By the clock alone: no job has to run for its end."""
        return self.until_ms is None or now_ms < self.until_ms
