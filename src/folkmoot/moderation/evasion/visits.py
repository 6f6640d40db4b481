"""Who came to listen to a Space from which people were removed: gathered in memory, so that the door doesn't wait.

Kept of them are those who were removed themselves, and those who share a browser with one of these. Who else
listens is written down nowhere.
"""

import asyncio
from functools import partial

import msgspec
import structlog

from folkmoot.gate import Action, Gate
from folkmoot.moderation.evasion.actions import came
from folkmoot.spaces.model import Space, SpaceState
from folkmoot.spaces.queries import live_ids

log = structlog.get_logger(__name__)
SPACES_MAX = 1_000
AGAIN_AFTER_S = 1.0
_BATCH = 500


class _Door(msgspec.Struct):
    """Of one Space: who is to be looked at, and who was, as long as the same people are removed from it."""

    removed: frozenset[int]
    waiting: set[int] = msgspec.field(default_factory=set)
    looked_at: set[int] = msgspec.field(default_factory=set)


class Visits:
    """Of one web process."""

    def __init__(self) -> None:
        self._doors: dict[int, _Door] = {}
        self._news = asyncio.Event()

    def note(self, space: Space, account_id: int | None) -> None:
        """That somebody wants to hear a Space, let in or not. Players ask again and again, which costs nothing."""
        removed = frozenset(member.account_id for member in space.members.values() if member.removed)
        if account_id is None or not removed or space.state is not SpaceState.LIVE:
            return
        door = self._doors.get(space.id)
        if door is None or door.removed != removed:
            # Whoever came before may listen still, beside the one who was removed now.
            before = door.waiting | door.looked_at if door is not None else set()
            door = self._doors[space.id] = _Door(removed, before)
            self._news.set()
            if len(self._doors) > SPACES_MAX:
                del self._doors[next(iter(self._doors))]
        if account_id not in door.looked_at and not space.member(account_id).role.commands:
            door.waiting.add(account_id)
            self._news.set()

    async def write(self, gate: Gate) -> None:
        """Look at those who came, in small transactions, and forget the Spaces that are over.

        Raises ExceptionGroup for the Spaces that it could not be done for; the others are done.
        """
        known, errors = list(self._doors.items()), []
        for space_id, door in known:
            try:
                await self._look(gate, space_id, door)
            except Exception as error:
                errors.append(error)
        async with gate.database.read() as read:
            live = set(await live_ids(read))
        for space_id, _ in known:
            if space_id not in live:
                self._doors.pop(space_id, None)
        if errors:
            raise ExceptionGroup("not looked at", errors)

    async def _look(self, gate: Gate, space_id: int, door: _Door) -> None:
        permit = gate.permit_system(Action.TAKE_PART, "spaces: who came back")
        while door.waiting:
            some = list(door.waiting)[:_BATCH]
            await gate.act(permit, partial(came, space_id=space_id, account_ids=some))
            door.waiting.difference_update(some)
            door.looked_at.update(some)

    async def keep_writing(self, gate: Gate) -> None:
        """Until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self.write(gate)
            except Exception:
                log.exception("visits.not_written")
                self._news.set()
                await asyncio.sleep(AGAIN_AFTER_S)
