"""Who came to listen to a live Space: gathered in memory, so that the door doesn't wait.

Kept of them are those who were removed, and those who share a browser with one of these. Who else listens is
written down nowhere, and forgotten when the Space ends; who may be somebody's second account is known only once the
first is removed, and may listen already.
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
PEOPLE_MAX = 100_000
"""In all Spaces together; of more, those of the Space that was opened first are forgotten."""
BROWSERS_MAX = 1_000
AGAIN_AFTER_S = 1.0


class _Door(msgspec.Struct):
    """Of one Space: which accounts came, and who is to be looked at: accounts, and browsers without one."""

    came: set[int] = msgspec.field(default_factory=set)
    waiting: set[int] = msgspec.field(default_factory=set)
    browsers: set[bytes] = msgspec.field(default_factory=set)


class Visits:
    """Of one web process."""

    def __init__(self) -> None:
        self._doors: dict[int, _Door] = {}
        self._people = 0
        self._news = asyncio.Event()

    def note(self, space: Space, account_id: int | None, browser: bytes | None = None) -> None:
        """That somebody wants to hear a Space, let in or not. Players ask again and again, which costs nothing.

        `browser`: the mark of one in which somebody was signed in once. Without an account, it is looked at where
        somebody was removed, and then forgotten.
        """
        if space.state is not SpaceState.LIVE or (account_id is None and browser is None):
            return
        anyone_removed = any(member.removed for member in space.members.values())
        if account_id is not None:
            self._came(space, account_id, anyone_removed)
        elif browser is not None and anyone_removed:
            browsers = self._door(space.id).browsers
            if len(browsers) < BROWSERS_MAX:
                browsers.add(browser)
                self._news.set()

    def removed(self, space_id: int) -> None:
        """Somebody was removed from a Space: who came before may be of the same browser, and listen still."""
        door = self._doors.get(space_id)
        if door is not None:
            door.waiting |= door.came
            self._news.set()

    def missed(self) -> None:
        """It may have happened in any Space."""
        for space_id in self._doors:
            self.removed(space_id)

    async def write(self, gate: Gate) -> None:
        """Look at those who came, and forget the Spaces that are over.

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
                self._forget(space_id)
        if errors:
            raise ExceptionGroup("not looked at", errors)

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

    def _came(self, space: Space, account_id: int, anyone_removed: bool) -> None:
        if space.member(account_id).role.commands:
            return
        door = self._door(space.id)
        if account_id in door.came:
            return
        door.came.add(account_id)
        self._people += 1
        if self._people > PEOPLE_MAX:
            self._forget(next(iter(self._doors)))
        if anyone_removed:
            door.waiting.add(account_id)
            self._news.set()

    def _door(self, space_id: int) -> _Door:
        door = self._doors.get(space_id)
        if door is None:
            if len(self._doors) >= SPACES_MAX:
                self._forget(next(iter(self._doors)))
            door = self._doors[space_id] = _Door()
        return door

    def _forget(self, space_id: int) -> None:
        door = self._doors.pop(space_id, None)
        self._people -= len(door.came) if door is not None else 0

    async def _look(self, gate: Gate, space_id: int, door: _Door) -> None:
        if not door.waiting and not door.browsers:
            return
        # Whoever is to be looked at again while this goes on waits anew.
        accounts, door.waiting = door.waiting, set()
        browsers, door.browsers = door.browsers, set()
        permit = gate.permit_system(Action.TAKE_PART, "spaces: who came back")
        try:
            look = partial(came, space_id=space_id, browsers=browsers)
            if await gate.act(permit, partial(look, account_ids=accounts)):
                await gate.act(permit, partial(look, account_ids=frozenset(door.came)))
        except BaseException:
            door.waiting |= accounts
            door.browsers |= browsers
            raise
