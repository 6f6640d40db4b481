"""What was kept of a Space. Plain data."""

import msgspec

from folkmoot.gate import Facts
from folkmoot.spaces.model import Space


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """The recording of an ended Space: `[replay_start_ms, duration_ms)` of its timeline is its replay."""

    space: Space
    duration_ms: int
    closed_at_ms: int
    replay_start_ms: int = 0

    def gate_facts(self) -> Facts:
        """Whoever may see the Space may hear it; its host's standing counts, no speaker's."""
        return self.space.gate_facts()
