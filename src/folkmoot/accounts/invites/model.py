"""An invite and who came by it. Plain data."""

import msgspec

from folkmoot.gate import Stamp
from folkmoot.gate.model import account_subject


class Invite(msgspec.Struct, frozen=True):
    """A link that its maker gives to others. Times are Unix ms."""

    id: int
    account_id: int
    account_counter: int  # the maker's, when it was made: when it rises, the link is dead for ever
    uses_max: int
    uses: int
    created_at_ms: int
    expires_at_ms: int
    revoked_at_ms: int | None

    @property
    def stamps(self) -> tuple[Stamp, ...]:
        return (Stamp(account_subject(self.account_id), self.account_counter),)

    def is_open(self, now_ms: int) -> bool:
        """Whether it lets somebody in, as far as it is up to the invite itself."""
        return self.revoked_at_ms is None and now_ms < self.expires_at_ms and self.uses < self.uses_max


class Arrival(msgspec.Struct, frozen=True):
    """Somebody who came by an invite."""

    account_id: int
    inviter_id: int
    invite_id: int
    joined_at_ms: int
