"""The async client of a stage process, used by web and worker.

One connection, many calls at a time. When the stage goes away every waiting call raises `StageGone` and `events()`
ends; a call that isn't answered in time raises `StageSilent`, a kind of that. Connecting again is the caller's
decision, because only the caller knows whether the Space is still live.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Self

from folkmoot.stage import protocol
from folkmoot.stage.engine import Answer, OfferRefused

EVENTS_WAITING_MAX = 1000
ANSWER_WITHIN_S = 4.0
# Gathering candidates waits for STUN servers.
OFFER_WITHIN_S = 8.0


class StageGone(ConnectionError):
    """The stage process closed the connection, or none is listening."""


class StageSilent(StageGone):
    """The stage process is there and doesn't answer: it is wedged, and as good as gone."""


class TakenOver(Exception):
    """The seat is heard by a newer connection than the one that the offer was to continue."""


class ListenersFull(Exception):
    """As many listen to the stage itself as may."""


class StageFailed(Exception):
    """The stage understood that it was called, but could not do it. The message says why."""


class StageClient:
    """One connection to one stage process. Make it with `connect`, close it with `close` or `async with`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[protocol.Result]] = {}
        self._events: asyncio.Queue[protocol.Event | None] = asyncio.Queue(EVENTS_WAITING_MAX)
        self._gone = False
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def connect(cls, path: Path) -> Self:
        """Connects to the stage that listens at `path`. Raises StageGone when none does."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                reader, writer = await asyncio.open_unix_connection(path)
        except TimeoutError as error:
            raise StageSilent(f"The stage at {path} takes no connection.") from error
        except OSError as error:
            raise StageGone(f"No stage is listening at {path}.") from error
        return cls(reader, writer)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def offer(
        self, seat: int, sdp: str, stamps: Sequence[protocol.Stamp], continues: str | None = None
    ) -> Answer:
        """The answer to a seat's offer. Raises OfferRefused with a sentence for the person who sent it.

        Raises TakenOver when it was to go on for what began with the connection `continues`, and the seat is heard
        by something newer.
        """
        return await self._answer(protocol.Offer(seat, sdp, list(stamps), continues))

    async def listen(self, sdp: str, stamps: Sequence[protocol.Stamp], address: str) -> Answer:
        """The answer to the offer of a listener at `address`. Raises OfferRefused, and ListenersFull."""
        return await self._answer(protocol.Listen(sdp, list(stamps), address))

    async def hangup(self, seat: int) -> None:
        """Closes the seat's connection; one that isn't there is no error."""
        await self._done(protocol.Hangup(seat=seat))

    async def hang_up_connection(self, connection: str) -> None:
        """Closes one connection, a seat's or a listener's; one that isn't there is no error."""
        await self._done(protocol.Close(connection=connection))

    async def configure(
        self, *, muted: Sequence[int], seats_allowed: Sequence[int], roster: int, calls: Sequence[str] = ()
    ) -> None:
        """Pushes the whole desired state; see `protocol.Configure`."""
        await self._done(
            protocol.Configure(
                muted=list(muted), seats_allowed=list(seats_allowed), roster=roster, calls=list(calls)
            )
        )

    async def note(self, *, listeners: int, reactions: dict[str, int], listeners_estimated: int = 0) -> None:
        """Sets the counts that travel in the tape's notes from now on."""
        await self._done(
            protocol.NoteCounts(listeners=listeners, reactions=reactions, listeners_estimated=listeners_estimated)
        )

    async def status(self, within_s: float = ANSWER_WITHIN_S) -> protocol.StageStatus:
        """Figures of the stage process."""
        result = await self._call(protocol.Status(), within_s)
        if isinstance(result, protocol.StageStatus):
            return result
        raise _unexpected(result)

    async def end(self) -> None:
        """Ends the stage: returns once every seat is closed and the tape is finished."""
        await self._done(protocol.End())

    async def events(self) -> AsyncIterator[protocol.Event]:
        """Every event from now on; ends when the stage goes away. One consumer at a time."""
        while (event := await self._events.get()) is not None:
            yield event

    async def close(self) -> None:
        """Closes the connection; calls still waiting raise StageGone."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        self._writer.close()

    async def _answer(self, call: protocol.Offer | protocol.Listen) -> Answer:
        result = await self._call(call, OFFER_WITHIN_S)
        if isinstance(result, protocol.Answered):
            return Answer(result.sdp, result.connection)
        raise _unexpected(result)

    async def _done(self, call: protocol.Call) -> None:
        result = await self._call(call)
        if not isinstance(result, protocol.Done):
            raise _unexpected(result)

    async def _call(self, call: protocol.Call, within_s: float = ANSWER_WITHIN_S) -> protocol.Result:
        if self._gone:
            raise StageGone("The connection to the stage is closed.")
        request = protocol.Request(id=next(self._ids), call=call)
        frame = protocol.encode_frame(request)
        reply: asyncio.Future[protocol.Result] = asyncio.get_running_loop().create_future()
        self._waiting[request.id] = reply
        try:
            async with asyncio.timeout(within_s):
                self._writer.write(frame)
                await self._writer.drain()
                return await reply
        except TimeoutError as error:
            raise StageSilent(f"The stage did not answer within {within_s:g} s.") from error
        except ConnectionError as error:
            raise StageGone("The stage went away.") from error
        finally:
            self._waiting.pop(request.id, None)

    async def _read(self) -> None:
        try:
            while True:
                header = await self._reader.readexactly(protocol.HEADER.size)
                body = await self._reader.readexactly(protocol.frame_length(header))
                self._take(protocol.decode_from_stage(body))
        except (asyncio.IncompleteReadError, OSError, protocol.FrameError):
            self._writer.close()
        finally:
            self._end_all()

    def _take(self, message: protocol.FromStage) -> None:
        if isinstance(message, protocol.Reply):
            waiting = self._waiting.get(message.id)
            if waiting is not None and not waiting.done():
                waiting.set_result(message.result)
            return
        if self._events.full():
            # Nobody reads events here (the web process calls only): the oldest are worth the least.
            self._events.get_nowait()
        self._events.put_nowait(message.event)

    def _end_all(self) -> None:
        self._gone = True
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(StageGone("The stage went away."))
        if self._events.full():
            self._events.get_nowait()
        self._events.put_nowait(None)


def _unexpected(result: protocol.Result) -> Exception:
    if isinstance(result, protocol.Refused):
        return OfferRefused(result.sentence)
    if isinstance(result, protocol.TakenOver):
        return TakenOver("The seat has a newer connection.")
    if isinstance(result, protocol.Busy):
        return ListenersFull("As many listen to this stage as may.")
    if isinstance(result, protocol.Failed):
        return StageFailed(result.sentence)
    return StageFailed(f"The stage answered with {type(result).__name__}, which is not what was asked.")
