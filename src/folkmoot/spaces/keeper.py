"""Keeps the stage processes and the database in step: runs in the worker, the only place that connects the two.

Down: for each live Space the whole desired state (who may be on stage, who is muted, the roster version, whom to
call) is pushed to its stage, again after every change and every restart of the stage. Up: what the stage notices (a
seat connected, a seat was lost) goes through the machine. Time goes through the machine too: holds and graces that
run out.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum, auto
from functools import partial

import structlog

from folkmoot.gate import Action, Gate, Kind, Refused, Subject, subjects
from folkmoot.gate.model import Sanction
from folkmoot.gate.standings import keeps
from folkmoot.spaces import actions, queries
from folkmoot.spaces import commands as c
from folkmoot.spaces.calls import Calls
from folkmoot.spaces.model import EndReason, MutedBy, Space, SpaceState
from folkmoot.stage.client import StageClient, StageGone, StageSilent
from folkmoot.stage.engine import SeatState
from folkmoot.stage.protocol import Event, SeatChanged
from folkmoot.storage.database import DatabaseBusy

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 0.5
CONNECT_EVERY_S = 0.02
# So often a stage is asked whether it is there, and so long it may take to say so: one that doesn't is wedged, and
# has to be back within 6 s of that.
ASK_EVERY_S = 1.0
ANSWER_WITHIN_S = 3.0
# A stage that isn't there for so long may be one that can't start.
LOST_AFTER_S = 5.0
# So often it is told its state with nothing changed, in case a change was missed.
TELL_EVERY_ASKS = 4


class _Wake(Enum):
    CHANGED = auto()
    STAGE_GONE = auto()


class StageKeeper:
    """One task for each Space that needs a stage. `needed` says which; `want` tells the supervisor those, and those
    that are wedged.

    `ended_tape_ms` looks at a tape: how long it is, or None while it goes on. `lost_because` says why a tape that
    no stage has open can't go on, None if it can. `on_closed` hears of the end. `call_secret` is what calls.py
    makes keys of.
    """

    def __init__(
        self,
        gate: Gate,
        *,
        needed: Callable[[], Awaitable[set[int]]],
        want: Callable[[list[int], list[int]], None],
        connect: Callable[[int], Awaitable[StageClient]],
        ended_tape_ms: Callable[[int], int | None],
        lost_because: Callable[[int], EndReason | None],
        on_closed: Callable[[int, int], Awaitable[None]],
        call_secret: bytes,
    ) -> None:
        self._gate = gate
        self._needed = needed
        self._want = want
        self._connect = connect
        self._ended_tape_ms = ended_tape_ms
        self._lost_because = lost_because
        self._on_closed = on_closed
        self._call_secret = call_secret
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._inboxes: dict[int, asyncio.Queue[_Wake | Event]] = {}
        self._look = asyncio.Event()
        self._silent: set[int] = set()

    def changed(self, space_id: int) -> None:
        """An event of the bus says that a Space changed."""
        inbox = self._inboxes.get(space_id)
        if inbox is not None:
            inbox.put_nowait(_Wake.CHANGED)
        self._look.set()

    async def run(self) -> None:
        """Until cancelled: see which Spaces need a stage, and let time pass in them."""
        is_first = True
        try:
            while True:
                try:
                    if is_first:
                        # Before the first stage starts: what ran out while nobody looked needs none.
                        await self._tick_due()
                        await self._end_lost()
                        is_first = False
                    await self._look_once()
                except DatabaseBusy as busy:
                    log.warning("keeper.database_busy", reason=str(busy))
                except Exception:
                    # A database that is away, or one Space's fault: the stages go on, and are looked after again.
                    log.exception("keeper.look_failed")
                self._look.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY_S):
                        await self._look.wait()
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _look_once(self) -> None:
        needed = await self._needed()
        for space_id in needed - self._tasks.keys():
            self._inboxes[space_id] = asyncio.Queue()
            self._tasks[space_id] = asyncio.create_task(self._keep(space_id), name=f"keep-{space_id}")
        wanted = set(self._tasks)
        for space_id in [space_id for space_id, task in self._tasks.items() if task.done()]:
            if not self._failed(self._tasks.pop(space_id), space_id):
                wanted.discard(space_id)
            del self._inboxes[space_id]
        # Also those whose task has failed: a stage that is not wanted is stopped, with all who speak on it.
        self._want(sorted(wanted), sorted(wanted & self._silent))
        self._silent.clear()
        await self._tick_due()

    async def _end_lost(self) -> None:
        for space_id in await self._needed():
            await self._end_if_lost(space_id)

    def _failed(self, task: asyncio.Task[None], space_id: int) -> bool:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("keeper.failed", space=space_id, exc_info=error)
        return error is not None

    async def _tick_due(self) -> None:
        async with self._gate.database.read() as read:
            due = await queries.due_ids(read)
        for space_id in due:
            await self._observe(space_id, c.Tick())

    # --- one Space ---

    async def _keep(self, space_id: int) -> None:
        calls = Calls(self._call_secret)
        while True:
            client = await self._connected(space_id)
            if client is None:
                return
            try:
                async with client:
                    if await self._follow(space_id, client, calls):
                        return
            except StageSilent:
                self._stop(space_id)
            except StageGone:
                log.warning("keeper.stage_gone", space=space_id)
            except DatabaseBusy as busy:
                # What was being written is found missing by `_compare`, next time.
                log.warning("keeper.database_busy", space=space_id, reason=str(busy))
                await asyncio.sleep(LOOK_EVERY_S)

    async def _connected(self, space_id: int) -> StageClient | None:
        """The stage, as soon as it answers; None if nothing needs it any more."""
        pause_s, waited_s = CONNECT_EVERY_S, 0.0
        while True:
            try:
                return await self._connect(space_id)
            except StageGone as gone:
                if isinstance(gone, StageSilent):
                    self._stop(space_id)
                if await self._is_closed(space_id):
                    return None
                await asyncio.sleep(pause_s)
            waited_s += pause_s
            pause_s = min(pause_s * 1.5, LOOK_EVERY_S)
            if waited_s > LOST_AFTER_S:
                await self._end_if_lost(space_id)
                waited_s = 0.0
            if space_id not in await self._needed():
                return None

    async def _end_if_lost(self, space_id: int) -> None:
        """No stage for seconds: it may be one that can't start, and would be tried for ever."""
        reason = await asyncio.to_thread(self._lost_because, space_id)
        if reason is not None:
            log.error("keeper.space_lost", space=space_id, reason=reason)
            await self._observe(space_id, c.Stop(reason))

    def _stop(self, space_id: int) -> None:
        log.warning("keeper.stage_silent", space=space_id)
        self._silent.add(space_id)
        self._look.set()

    async def _is_closed(self, space_id: int) -> bool:
        """Whether the tape has ended; if nobody has said so yet (this process died just then), say it now."""
        duration_ms = await asyncio.to_thread(self._ended_tape_ms, space_id)
        if duration_ms is not None:
            await self._on_closed(space_id, duration_ms)
        return duration_ms is not None

    async def _follow(self, space_id: int, client: StageClient, calls: Calls) -> bool:
        """Carry word both ways until the Space is over (True) or its stage goes away (StageGone)."""
        inbox = self._inboxes[space_id]
        await self._compare(space_id, client)
        pump = asyncio.create_task(self._pump(client, inbox))
        try:
            while True:
                space, now = await self._space_now(space_id)
                if space is None or space.state is not SpaceState.LIVE:
                    await self._close(space_id, client)
                    return True
                is_heard = keeps(Kind.SPACE, now.standing, Action.SPEAK)
                told = calls.after(space, self._gate.database.clock_ms())
                await _push(client, space, told, is_heard=is_heard)
                await self._take(space_id, await _next_word(inbox, client, partial(self._is_over, now)))
        finally:
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)

    async def _pump(self, client: StageClient, inbox: "asyncio.Queue[_Wake | Event]") -> None:
        async for event in client.events():
            inbox.put_nowait(event)
        inbox.put_nowait(_Wake.STAGE_GONE)

    async def _take(self, space_id: int, word: _Wake | Event) -> None:
        match word:
            case _Wake.STAGE_GONE:
                raise StageGone("The stage went away.")
            case SeatChanged(seat=seat, state=SeatState.CONNECTED):
                await self._observe(space_id, c.SeatConnected(seat))
            case SeatChanged(seat=seat):
                await self._observe(space_id, c.SeatLost(seat))
            case _:
                return

    async def _compare(self, space_id: int, client: StageClient) -> None:
        """After a (re)start of the stage or of this process: whom does the stage really hear?"""
        space = await self._space(space_id)
        if space is None:
            return
        heard = {seat.seat for seat in (await client.status()).engine.seats if seat.connected}
        for member in space.stage:
            assert member.seat is not None
            if member.connected and member.seat not in heard:
                await self._observe(space_id, c.SeatLost(member.seat))
            elif member.seat in heard and not member.connected:
                await self._observe(space_id, c.SeatConnected(member.seat))

    async def _close(self, space_id: int, client: StageClient) -> None:
        try:
            await client.end()
        except StageSilent:
            raise
        except StageGone:
            pass  # It may have gone for having ended.
        if not await self._is_closed(space_id):
            raise StageGone("The stage went away before its tape was finished.")

    async def _space(self, space_id: int) -> Space | None:
        async with self._gate.database.read() as read:
            return await queries.by_id(read, space_id)

    async def _space_now(self, space_id: int) -> tuple[Space | None, Sanction]:
        """The Space, and what moderators decided about it."""
        subject = Subject(Kind.SPACE, space_id)
        async with self._gate.database.read() as read:
            return await queries.by_id(read, space_id), (await subjects.held(read, [subject]))[subject]

    def _is_over(self, now: Sanction) -> bool:
        return not now.in_force(self._gate.database.clock_ms())

    async def _observe(self, space_id: int, observation: c.Observation) -> None:
        permit = self._gate.permit_system(Action.TAKE_PART, "worker: stage keeper")
        try:
            await self._gate.act(permit, lambda acting: actions.observe(acting, space_id, observation))
        except Refused as refusal:
            # Late news: the seat was given up, or the Space ended, before the stage said so.
            log.debug("keeper.observation_refused", space=space_id, code=refusal.code)


async def _next_word(
    inbox: "asyncio.Queue[_Wake | Event]", client: StageClient, is_over: Callable[[], bool]
) -> _Wake | Event:
    """What comes next; CHANGED after a while without anything, and when what was decided about the Space is over.
    Raises StageSilent if the stage is wedged."""
    for _ in range(TELL_EVERY_ASKS):
        if is_over():
            break
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ASK_EVERY_S):
                return await inbox.get()
        await client.status(within_s=ANSWER_WITHIN_S)
    return _Wake.CHANGED


async def _push(client: StageClient, space: Space, calls: Sequence[str], *, is_heard: bool) -> None:
    seated = [(member.seat, member.muted_by) for member in space.stage if member.seat is not None]
    await client.configure(
        muted=[seat for seat, muted_by in seated if isinstance(muted_by, MutedBy) or not is_heard],
        seats_allowed=[seat for seat, _ in seated],
        roster=space.roster_version,
        calls=calls,
    )
