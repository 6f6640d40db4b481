"""One HLS request for a codec of a Space, which may have to wait: what it is answered, and how long that is kept.

Requests that wait (draft-pantos-hls-rfc8216bis, 6.2.5.2) ask the gate when they come and again before they are
answered, and end with the right to hear: who lost it meanwhile gets nothing.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Request, Response

from folkmoot.gate import ANONYMOUS, Action, Refused, Stamp, Viewer
from folkmoot.recordings import sound
from folkmoot.recordings.live_tapes import LiveTape
from folkmoot.recordings.sound import Media, Sound
from folkmoot.surfaces.limits import Limits, client_address
from folkmoot.surfaces.security import NO_STORE
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.spaces import caching
from folkmoot.surfaces.spaces.replay import (
    audible,
    audible_under,
    nothing_yet,
    read_tape,
    sound_answer,
    tape_errors,
)
from folkmoot.surfaces.under_way import hold
from folkmoot.tape import hls
from folkmoot.tape.hls import MediaName
from folkmoot.tape.hls_window import HlsWindow, Place, part_target_samples
from folkmoot.tape.model import SAMPLE_RATE, Codec

_DIGITS_MAX = 9

AnyRequest = Request[Any, Any, Any]


class Asked(msgspec.Struct, frozen=True):
    """The delivery directives of a playlist request (6.2.5)."""

    segment: int | None
    part: int | None
    skip: bool

    @classmethod
    def of(cls, request: AnyRequest) -> "Asked":
        """Raises Refused 400 for what is none; those that this server doesn't know are left alone."""
        segment, part = (_number(request.query_params.get(name)) for name in ("_HLS_msn", "_HLS_part"))
        if part is not None and segment is None:
            raise Refused("directive_invalid", "_HLS_part goes with _HLS_msn.", status=400)
        return cls(segment, part, request.query_params.get("_HLS_skip") in {"YES", "v2"})

    def again_s(self, codec: Codec) -> float:
        """In how many seconds a player that asks like this asks for the next playlist."""
        return hls.TARGET_DURATION_S if self.part is None else part_target_samples(codec) / SAMPLE_RATE

    def is_in(self, window: HlsWindow) -> bool:
        assert self.segment is not None
        if self.part is None:
            return window.has_segment(self.segment)
        return window.has(Place(self.segment, self.part))


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > _DIGITS_MAX:
        raise Refused("directive_invalid", "_HLS_msn and _HLS_part are numbers.", status=400)
    return int(text)


class Hearing(msgspec.Struct, frozen=True):
    """A request for one codec of a Space, which may have to wait."""

    services: Services
    viewer: Viewer
    space_id: int
    codec: Codec
    request: AnyRequest

    @classmethod
    def of(cls, services: Services, viewer: Viewer, space_id: int, codec: str, request: AnyRequest) -> "Hearing":
        """Raises Refused 404 for a codec that there is not."""
        return cls(services, viewer, space_id, sound.codec_of(codec), request)

    # --- the answers

    async def replay_playlist(self) -> Response[str]:
        open_part = await self.audible()
        if open_part.is_live:
            raise Refused("not_ended", "This Space is live: its playlist is live.m3u8.", status=409)
        text = await read_tape(lambda: sound.replay_playlist(open_part, self.codec))
        if text is None:
            raise nothing_yet()
        return _playlist(text, open_part, caching.renewed(caching.SOUND_SECONDS))

    async def live_playlist(self, limits: Limits) -> Response[str]:
        asked = Asked.of(self.request)
        open_part, stamps = await self.audible_under()
        tape = await self.tape(open_part)
        window = tape.windows[self.codec]
        if asked.segment is not None and not window.ended:
            if window.is_absurd(asked.segment, asked.part):
                raise Refused("too_far_ahead", "Nobody has said that yet: ask for what comes next.", status=400)
            open_part = await self.after(tape, asked.is_in, stamps) or open_part
        if open_part.ends_early(tape.reader):
            raise Refused("trimmed", "The host shortened this recording: its playlist is index.m3u8.", status=410)
        with tape_errors():
            text = tape.playlist(open_part, self.codec, skip=asked.skip)
        if text is None:
            raise nothing_yet()
        if open_part.is_live:
            limits.sound_was_shared(client_address(self.request))
            self.services.listening.by_hls(self.space_id, asked.again_s(self.codec))
        if asked.segment is None:
            return _playlist(text, open_part, caching.renewed(caching.PLAYLIST_SECONDS))
        return _playlist(text, open_part, f"public, max-age={caching.WAITED_SECONDS}")

    async def init_segment(self) -> Response[bytes]:
        open_part = await self.audible()
        return sound_answer(await read_tape(lambda: sound.init(open_part, self.codec)), open_part)

    async def media(self, file: str, limits: Limits) -> Response[bytes]:
        """A segment or a part of one; the next part is waited for."""
        name = MediaName.parse(file)
        if name is None:
            raise _no_segment()
        open_part, stamps = await self.audible_under()
        open_part = await self.after_hinted(open_part, name, stamps) or open_part
        found = await self._at_the_edge(open_part, name)
        if found is not None:
            limits.sound_was_shared(client_address(self.request))
        else:
            found = await read_tape(lambda: sound.media(open_part, self.codec, name))
        if found is None:
            raise _no_segment()
        answer = sound_answer(found.content, open_part)
        if name.revision != found.revision:
            answer.headers["Cache-Control"] = caching.NO_STORE
        return answer

    async def _at_the_edge(self, open_part: Sound, name: MediaName) -> Media | None:
        """What everybody who listens live reads just now, from the one reader that is open for all of them."""
        if not open_part.is_live:
            return None
        tape = await self.tape(open_part)
        with tape_errors():
            return tape.newest(open_part, self.codec, name)

    # --- what they wait for

    async def audible(self) -> Sound:
        return await audible(self.services, self.viewer, self.space_id)

    async def audible_under(self) -> tuple[Sound, tuple[Stamp, ...]]:
        return await audible_under(self.services, self.viewer, self.space_id)

    async def tape(self, open_part: Sound) -> LiveTape:
        with tape_errors():
            return await self.services.live_tapes.open(open_part)

    async def after_hinted(self, open_part: Sound, name: MediaName, stamps: tuple[Stamp, ...]) -> Sound | None:
        """Waits for a part if it is the next one; what may be heard then, or None if there was no wait."""
        if not open_part.is_live or name.part is None:
            return None
        tape, place = await self.tape(open_part), Place(name.segment, name.part)
        if tape.windows[self.codec].next_part != place:
            return None
        return await self.after(tape, lambda window: window.has(place), stamps)

    async def after(
        self, tape: LiveTape, is_there: Callable[[HlsWindow], bool], stamps: tuple[Stamp, ...]
    ) -> Sound | None:
        """Waits until the window has it, for a bounded time, as long as the client does, and asks the gate anew:
        what may be heard then, or None where that is as it was. A segment wakes all who wait for it in one moment,
        so they ask whether any counter that they hang on was raised: one statement instead of a dozen. The stamps
        are of the moment in which they were let in."""
        if is_there(tape.windows[self.codec]):
            return None
        self.services.live_tapes.require_room()
        hold(self.request, stamps)
        waiting = asyncio.ensure_future(tape.wait_for(self.codec, is_there))
        leaving = asyncio.ensure_future(_gone(self.request))
        try:
            await asyncio.wait({waiting, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                raise Refused("closed", "The connection was closed.", status=400)
            with tape_errors():
                await waiting
        except TimeoutError as error:
            raise nothing_yet() from error
        finally:
            waiting.cancel()
            leaving.cancel()
        if not tape.windows[self.codec].ended and await self._is_as_it_was(stamps):
            return None
        return await audible(self.services, await self._viewer_now(), self.space_id)

    async def _is_as_it_was(self, stamps: tuple[Stamp, ...]) -> bool:
        try:
            async with self.services.database.read() as read:
                await self.services.gate.check(read, stamps)
        except Refused:
            return False
        return True

    async def _viewer_now(self) -> Viewer:
        """Who asks, as things are now: where the right ended nobody, who hears what anybody may."""
        gate, account_id = self.services.gate, self.viewer.account_id
        if account_id is None:
            return ANONYMOUS
        try:
            async with self.services.database.read() as read:
                await gate.check(read, self.viewer.stamps)
                viewer = await gate.as_account(read, account_id)
            return gate.permit(viewer, Action.LISTEN).viewer
        except Refused:
            return ANONYMOUS


async def _gone(request: AnyRequest) -> None:
    """Returns when the client has closed its connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _playlist(text: str, open_part: Sound, cache_control: str) -> Response[str]:
    return Response(text, media_type=hls.MEDIA_TYPE, headers=caching.kept(open_part, cache_control))


def _no_segment() -> Refused:
    """For no cache: what is not there yet comes in a moment, under this address."""
    return Refused("not_found", "There is no such segment.", status=404, headers=NO_STORE)
