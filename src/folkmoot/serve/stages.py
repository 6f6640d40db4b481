"""The web process's way to the stages: one connection to each, made when it is first needed."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Mapping

import structlog

from folkmoot.gate import Refused, Stamp
from folkmoot.serve.places import Places
from folkmoot.stage.client import StageClient, StageFailed, StageGone, StageSilent
from folkmoot.stage.engine import OfferRefused
from folkmoot.stage.protocol import TapeFullNow, TapeOkAgain
from folkmoot.surfaces.spaces.hub import STAGE

log = structlog.get_logger(__name__)
CONNECT_WITHIN_S = 5.0
CONNECT_EVERY_S = 0.05
FIND_EVERY_S = 0.02
COUNTS_EVERY_S = 0.5


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
        followed: Callable[[], set[int]],
        tell: Callable[[int, str], None],
    ) -> None:
        self._places = places
        self._counts = counts
        self._followed = followed
        self._tell_followers = tell
        self._clients: dict[int, StageClient] = {}
        self._hearing: dict[int, asyncio.Task[None]] = {}
        self._locks: dict[int, asyncio.Lock] = {}
        self._telling: dict[int, asyncio.Task[None]] = {}
        self._reactions: dict[int, Counter[str]] = {}
        self._told: dict[int, tuple[int, dict[str, int]]] = {}
        self._generations: dict[int, int] = {}
        self._finding: dict[int, asyncio.Task[None]] = {}

    async def offer(self, space_id: int, seat: int, sdp: str, stamps: tuple[Stamp, ...]) -> str:
        held = [(stamp.subject, stamp.counter) for stamp in stamps]
        try:
            try:
                return await (await self._client(space_id)).offer(seat, sdp, held)
            except StageSilent:
                raise
            except StageGone:
                # The connection was to a stage that has been restarted since.
                await self._drop(space_id)
                return await (await self._client(space_id)).offer(seat, sdp, held)
        except OfferRefused as refusal:
            raise Refused("offer_refused", str(refusal), status=422) from refusal
        except (StageGone, StageFailed) as error:
            await self._drop(space_id)
            log.warning("stages.offer_failed", space=space_id, error=str(error))
            raise Refused(
                "stage_starting", "The stage is just starting. Try again in a moment.", status=503
            ) from error

    async def hang_up(self, space_id: int, seat: int) -> None:
        client = self._clients.get(space_id)
        if client is None:
            return
        try:
            await client.hangup(seat)
        except (StageGone, StageFailed):
            await self._drop(space_id)

    async def react(self, space_id: int, reaction: str) -> None:
        self._reactions.setdefault(space_id, Counter())[reaction] += 1

    def reactions(self, space_id: int) -> Mapping[str, int]:
        return self._reactions.get(space_id, {})

    def generation(self, space_id: int) -> int | None:
        return self._generations.get(space_id)

    async def keep_counts(self) -> None:
        """Until cancelled: tell each stage how many listen and how they reacted, when that changed.

        Each in a task of its own: a stage that doesn't answer holds up no other's counts.
        """
        async with asyncio.TaskGroup() as group:
            while True:
                await asyncio.sleep(COUNTS_EVERY_S)
                counts = self._counts()
                concerned = counts.keys() | self._clients.keys() | self._reactions.keys() | self._followed()
                for space_id in concerned - self._telling.keys():
                    news = (counts.get(space_id, 0), dict(self._reactions.get(space_id, {})))
                    self._telling[space_id] = group.create_task(self._keep_told(space_id, *news))

    async def ended(self, space_id: int) -> None:
        """A Space is over: forget what was held for it."""
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

    async def _keep_told(self, space_id: int, listeners: int, reactions: dict[str, int]) -> None:
        try:
            await self._tell(space_id, listeners, reactions)
        except (StageGone, StageFailed):
            await self._drop(space_id)
        except Exception:
            # Counts are the least of what the web process is for.
            log.exception("stages.counts_failed", space=space_id)
        finally:
            del self._telling[space_id]

    async def _tell(self, space_id: int, listeners: int, reactions: dict[str, int]) -> None:
        has_news = self._told.get(space_id, (0, {})) != (listeners, reactions)
        client = self._clients.get(space_id)
        if client is None and (has_news or space_id in self._followed()):
            client = await self._connect(space_id)
        if client is not None and has_news:
            await client.note(listeners=listeners, reactions=reactions)
            if self._clients.get(space_id) is client:
                self._told[space_id] = (listeners, reactions)

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
            generation = (await client.status()).generation
            if self._generations.get(space_id) != generation:
                self._generations[space_id] = generation
                self._tell_followers(space_id, STAGE)
        async for event in client.events():
            if isinstance(event, TapeFullNow):
                self._tell_followers(space_id, "tape_full")
            elif isinstance(event, TapeOkAgain):
                self._tell_followers(space_id, "tape_ok")
        # The stage went away, and nothing that is held for this connection is true any more.
        if self._clients.get(space_id) is client:
            await self._drop(space_id)
            if space_id in self._followed() and space_id not in self._finding:
                self._finding[space_id] = asyncio.create_task(self._find_again(space_id))

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
        hearing = self._hearing.pop(space_id, None)
        if hearing is not None and hearing is not asyncio.current_task():
            hearing.cancel()
        if client is not None:
            await client.close()
