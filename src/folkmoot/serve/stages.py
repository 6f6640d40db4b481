"""The web process's way to the stages: one connection to each, made when it is first needed."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping

import msgspec
import structlog

from folkmoot.gate import Refused, Stamp
from folkmoot.serve.places import Places
from folkmoot.stage.client import ListenersFull, StageClient, StageFailed, StageGone, StageSilent, TakenOver
from folkmoot.stage.engine import Answer, OfferRefused
from folkmoot.stage.protocol import ListenersChanged, TapeFullNow, TapeOkAgain
from folkmoot.surfaces.spaces.hub import CHANGED, COUNTS, STAGE

log = structlog.get_logger(__name__)
CONNECT_WITHIN_S = 5.0
CONNECT_EVERY_S = 0.05
FIND_EVERY_S = 0.02
COUNTS_EVERY_S = 0.5


class _News(msgspec.Struct, frozen=True):
    """What a stage is told of its Space's listeners."""

    listeners: int = 0
    listeners_estimated: int = 0
    reactions: dict[str, int] = {}


class StagePool:
    """`surfaces.services.Stages`, the counts that travel in the tape, and the stages' word of a full disk.

    That word comes straight from the stage, not over the event bus: the database may be on the same disk. So does
    the word that a stage is a new one: whoever spoke on the one before has to offer anew. `followed` says which
    Spaces somebody follows the changes of, `tell` reaches them.
    """

    def __init__(
        self,
        places: Places,
        counts: Callable[[], Mapping[int, int]],
        estimated: Callable[[], Mapping[int, int]],
        followed: Callable[[], set[int]],
        tell: Callable[[int, str], None],
    ) -> None:
        self._places = places
        self._counts = counts
        self.estimated = estimated
        self._followed = followed
        self._tell_followers = tell
        self._clients: dict[int, StageClient] = {}
        self._hearing: dict[int, asyncio.Task[None]] = {}
        self._locks: dict[int, asyncio.Lock] = {}
        self._telling: dict[int, asyncio.Task[None]] = {}
        self._reactions: dict[int, Counter[str]] = {}
        self._told: dict[int, _News] = {}
        self._generations: dict[int, int] = {}
        self._full: set[int] = set()
        self._finding: dict[int, asyncio.Task[None]] = {}
        self._on_stage: dict[int, int] = {}

    async def offer(
        self, space_id: int, seat: int, sdp: str, stamps: tuple[Stamp, ...], continues: str | None = None
    ) -> Answer:
        held = [(stamp.subject, stamp.counter) for stamp in stamps]
        try:
            return await self._ask(space_id, lambda client: client.offer(seat, sdp, held, continues))
        except TakenOver as error:
            raise Refused(
                "seat_taken_over",
                "You speak from another program or window now. To speak from here, connect anew.",
                status=409,
            ) from error

    async def listen(self, space_id: int, sdp: str, stamps: tuple[Stamp, ...], address: str) -> Answer:
        held = [(stamp.subject, stamp.counter) for stamp in stamps]
        try:
            return await self._ask(space_id, lambda client: client.listen(sdp, held, address))
        except ListenersFull as error:
            raise Refused(
                "listeners_full",
                "As many listen here without delay as this server has room for. Listen at /listen or by HLS.",
                status=503,
                headers={"Retry-After": "10"},
            ) from error

    async def _ask(self, space_id: int, ask: Callable[[StageClient], Awaitable[Answer]]) -> Answer:
        """Have an offer answered. Raises Refused, and what the client raises besides StageGone and StageFailed."""
        try:
            try:
                return await ask(await self._client(space_id))
            except StageSilent:
                raise
            except StageGone:
                # The connection was to a stage that has been restarted since.
                await self._drop(space_id)
                return await ask(await self._client(space_id))
        except OfferRefused as refusal:
            raise Refused("offer_refused", str(refusal), status=422) from refusal
        except (StageGone, StageFailed) as error:
            await self._drop(space_id)
            log.warning("stages.offer_failed", space=space_id, error=str(error))
            raise Refused(
                "stage_starting",
                "The stage is just starting. Try again in a moment.",
                status=503,
                headers={"Retry-After": "1"},
            ) from error

    async def hang_up(self, space_id: int, seat: int) -> None:
        await self._end(space_id, lambda client: client.hangup(seat))

    async def hang_up_connection(self, space_id: int, connection: str) -> None:
        await self._end(space_id, lambda client: client.hang_up_connection(connection))

    async def _end(self, space_id: int, end: Callable[[StageClient], Awaitable[None]]) -> None:
        try:
            # Without a stage there is nothing to hang up, so this waits for none.
            await end(self._clients.get(space_id) or await self._connect(space_id))
        except (StageGone, StageFailed):
            await self._drop(space_id)

    def counts(self) -> Mapping[int, int]:
        """Who listens to each Space: by the audience workers, and on the stage itself."""
        return Counter(self._counts()) + Counter(self._on_stage)

    async def react(self, space_id: int, reaction: str) -> None:
        self._reactions.setdefault(space_id, Counter())[reaction] += 1

    def reactions(self, space_id: int) -> Mapping[str, int]:
        return self._reactions.get(space_id, {})

    def generation(self, space_id: int) -> int | None:
        return self._generations.get(space_id)

    def tape_full(self, space_id: int) -> bool:
        return space_id in self._full

    async def keep_counts(self) -> None:
        """Until cancelled: tell each stage how many listen and how they reacted, when that changed.

        Each in a task of its own: a stage that doesn't answer holds up no other's counts.
        """
        async with asyncio.TaskGroup() as group:
            while True:
                await asyncio.sleep(COUNTS_EVERY_S)
                counts, estimated = self.counts(), self.estimated()
                concerned = {*counts, *estimated, *self._clients, *self._reactions, *self._followed()}
                for space_id in concerned - self._telling.keys():
                    reactions = dict(self._reactions.get(space_id, {}))
                    news = _News(counts.get(space_id, 0), estimated.get(space_id, 0), reactions)
                    self._telling[space_id] = group.create_task(self._keep_told(space_id, news))

    async def ended(self, space_id: int) -> None:
        """A Space is over: forget what was held for it."""
        self._full.discard(space_id)
        for held in (self._reactions, self._locks, self._generations):
            held.pop(space_id, None)
        finding = self._finding.pop(space_id, None)
        if finding is not None:
            finding.cancel()
        await self._drop(space_id)

    async def close(self) -> None:
        for finding in self._finding.values():
            finding.cancel()
        for space_id in list(self._clients):
            await self._drop(space_id)

    async def _keep_told(self, space_id: int, news: _News) -> None:
        try:
            await self._tell(space_id, news)
        except (StageGone, StageFailed):
            await self._drop(space_id)
        except Exception:
            # Counts are the least of what the web process is for.
            log.exception("stages.counts_failed", space=space_id)
        finally:
            del self._telling[space_id]

    async def _tell(self, space_id: int, news: _News) -> None:
        has_news = self._told.get(space_id, _News()) != news
        client = self._clients.get(space_id)
        if client is None and (has_news or space_id in self._followed()):
            client = await self._connect(space_id)
        if client is not None and has_news:
            await client.note(
                listeners=news.listeners, listeners_estimated=news.listeners_estimated, reactions=news.reactions
            )
            if self._clients.get(space_id) is client:
                self._told[space_id] = news
            self._tell_followers(space_id, COUNTS)

    async def _client(self, space_id: int) -> StageClient:
        """The connection to a stage; waits for one that is being started. Raises StageGone."""
        async with self._locks.setdefault(space_id, asyncio.Lock()):
            deadline = asyncio.get_running_loop().time() + CONNECT_WITHIN_S
            while True:
                try:
                    return self._clients.get(space_id) or await self._connect(space_id)
                except StageGone:
                    if asyncio.get_running_loop().time() > deadline:
                        raise
                    await asyncio.sleep(CONNECT_EVERY_S)

    async def _connect(self, space_id: int) -> StageClient:
        client = await StageClient.connect(self._places.stage_socket(space_id))
        quicker = self._clients.get(space_id)
        if quicker is not None:
            await client.close()
            return quicker
        self._clients[space_id] = client
        self._hearing[space_id] = asyncio.create_task(self._hear(space_id, client))
        return client

    async def _hear(self, space_id: int, client: StageClient) -> None:
        with contextlib.suppress(StageGone, StageFailed):
            status = await client.status()
            if self._generations.get(space_id) != status.generation:
                self._generations[space_id] = status.generation
                self._tell_followers(space_id, STAGE)
            self._tape_full_is(space_id, status.tape_full)
        async for event in client.events():
            if isinstance(event, TapeFullNow | TapeOkAgain):
                self._tape_full_is(space_id, isinstance(event, TapeFullNow))
            elif isinstance(event, ListenersChanged):
                self._on_stage[space_id] = event.count
        # The stage went away, and nothing that is held for this connection is true any more.
        if self._clients.get(space_id) is client:
            await self._drop(space_id)
            if space_id in self._followed() and space_id not in self._finding:
                self._finding[space_id] = asyncio.create_task(self._find_again(space_id))

    def _tape_full_is(self, space_id: int, full: bool) -> None:
        """Those who follow the Space hear a sentence at once, and the Space says it from now on."""
        if full is self.tape_full(space_id):
            return
        (self._full.add if full else self._full.discard)(space_id)
        log.warning("stages.tape_full" if full else "stages.tape_ok", space=space_id)
        self._tell_followers(space_id, "tape_full" if full else "tape_ok")
        self._tell_followers(space_id, CHANGED)

    async def _find_again(self, space_id: int) -> None:
        """Those who spoke are told of the next stage as soon as it answers: until then they hear silence."""
        give_up_s = asyncio.get_running_loop().time() + CONNECT_WITHIN_S
        try:
            while space_id not in self._clients and asyncio.get_running_loop().time() < give_up_s:
                with contextlib.suppress(StageGone):
                    await self._connect(space_id)
                await asyncio.sleep(FIND_EVERY_S)
        finally:
            self._finding.pop(space_id, None)

    async def _drop(self, space_id: int) -> None:
        client = self._clients.pop(space_id, None)
        self._told.pop(space_id, None)
        self._on_stage.pop(space_id, None)
        hearing = self._hearing.pop(space_id, None)
        if hearing is not None and hearing is not asyncio.current_task():
            hearing.cancel()
        if client is not None:
            await client.close()
