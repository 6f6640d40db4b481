"""On which day a session was last used: gathered in memory, written seldom, so that reading stays reading."""

import asyncio
from functools import partial

import structlog

from folkmoot.accounts.sessions.actions import DAY_MS, were_used
from folkmoot.gate import Action, Gate

log = structlog.get_logger(__name__)
WRITE_EVERY_S = 60.0
_BATCH = 500


class UsedTokens:
    """Of one web process. What is not written when it dies is written when the session is used again."""

    def __init__(self) -> None:
        self._new: set[int] = set()
        self._written: set[int] = set()
        self._day = 0

    def note(self, token_id: int | None) -> None:
        """That a token was shown."""
        if token_id is not None and token_id not in self._written:
            self._new.add(token_id)

    async def write(self, gate: Gate) -> None:
        """Write down those that were not today, in small transactions."""
        day = gate.database.clock_ms() // DAY_MS
        if day != self._day:
            self._day, self._written = day, set()
        permit = gate.permit_system(Action.SIGN_IN, "sessions: used today")
        while self._new:
            some = [self._new.pop() for _ in range(min(_BATCH, len(self._new)))]
            await gate.act(permit, partial(were_used, token_ids=some))
            self._written.update(some)

    async def keep_writing(self, gate: Gate) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            try:
                await self.write(gate)
            except Exception:
                log.exception("sessions.not_written")
