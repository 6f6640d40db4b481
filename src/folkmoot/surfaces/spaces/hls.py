"""HLS: the sound of a Space for every player, a second behind while it is live, and as a replay afterwards.

Requests that wait (draft-pantos-hls-rfc8216bis, 6.2.5.2) ask the gate when they come and again before they are
answered, and end with the right to hear: who lost it meanwhile gets nothing.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Request, Response, get

from folkmoot.gate import ANONYMOUS, Action, Refused, Serves, Viewer
from folkmoot.recordings import sound
from folkmoot.recordings.live_tapes import LiveTape
from folkmoot.recordings.sound import Sound
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.limits import Limits, client_address
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.spaces.replay import SPACE, audible, nothing_yet, read_tape, sound_answer, tape_errors
from folkmoot.surfaces.spaces.spaces import listener_stamps
from folkmoot.surfaces.under_way import hold
from folkmoot.tape import hls
from folkmoot.tape.hls_window import HlsWindow, Place
from folkmoot.tape.model import Codec

_LISTEN = serves(Serves.ANYONE, Action.LISTEN, "read:statuses")
_FRESH = {"Cache-Control": "no-cache"}
# For caches: an answer to a blocking request holds for six target durations, any other for half of one.
_BLOCKING_SECONDS = 6 * hls.TARGET_DURATION_S
_PLAIN_SECONDS = hls.TARGET_DURATION_S // 2
# No playlist names this address now. Kept by a cache, it would still hold, when one does, what was taken out since.
_OTHER_REVISION = "no-store"
_NEWEST_SEGMENTS = hls.HOLD_BACK_S // hls.TARGET_DURATION_S + 1  # a player without low latency begins this far back
_DIGITS_MAX = 9

AnyRequest = Request[Any, Any, Any]


@get(f"{SPACE}/hls/index.m3u8", opt=_LISTEN)
async def multivariant_playlist(
    space_id: int, viewer: Viewer, services: Services, codec: str = Codec.AAC
) -> Response[str]:
    """HLS (RFC 8216): where players begin. AAC, which all can play, or with `codec=opus` Opus."""
    kind = sound.codec_of(codec)
    open_part = await audible(services, viewer, space_id)
    text = hls.multivariant_playlist(kind, is_live=open_part.is_live)
    return Response(text, media_type=hls.MEDIA_TYPE, headers=_FRESH)


@get(f"{SPACE}/hls/{{codec:str}}/index.m3u8", opt=_LISTEN)
async def replay_playlist(space_id: int, codec: str, viewer: Viewer, services: Services) -> Response[str]:
    """The segments of one codec of a replay."""
    kind = sound.codec_of(codec)
    open_part = await audible(services, viewer, space_id)
    if open_part.is_live:
        raise Refused("not_ended", "This Space is live: its playlist is live.m3u8.", status=409)
    text = await read_tape(lambda: sound.replay_playlist(open_part, kind))
    if text is None:
        raise nothing_yet()
    return Response(text, media_type=hls.MEDIA_TYPE, headers=_FRESH)


@get(f"{SPACE}/hls/{{codec:str}}/live.m3u8", opt=_LISTEN)
async def live_playlist(
    space_id: int, codec: str, viewer: Viewer, services: Services, limits: Limits, request: AnyRequest
) -> Response[str]:
    """The last ten minutes of one codec, with low latency: `_HLS_msn`, `_HLS_part`, `_HLS_skip`."""
    asked = _Asked.of(request)
    hearing = _Hearing(services, viewer, space_id, sound.codec_of(codec), request)
    open_part = await hearing.audible()
    tape = await hearing.tape(open_part)
    window = tape.windows[hearing.codec]
    if asked.segment is not None and not window.ended:
        if window.is_absurd(asked.segment, asked.part):
            raise Refused("too_far_ahead", "Nobody has said that yet: ask for what comes next.", status=400)
        open_part = await hearing.after(tape, asked.is_in) or open_part
    if open_part.ends_early(tape.reader):
        raise Refused("trimmed", "The host shortened this recording: its playlist is index.m3u8.", status=410)
    text = tape.playlist(open_part, hearing.codec, skip=asked.skip)
    if text is None:
        raise nothing_yet()
    if open_part.is_live:
        limits.sound_was_shared(client_address(request))
    seconds = _PLAIN_SECONDS if asked.segment is None else _BLOCKING_SECONDS
    cached = f"public, max-age={seconds}" if open_part.is_public else "private, no-store"
    return Response(text, media_type=hls.MEDIA_TYPE, headers={"Cache-Control": cached})


@get(f"{SPACE}/hls/{{codec:str}}/init.mp4", opt=_LISTEN)
async def init_segment(space_id: int, codec: str, viewer: Viewer, services: Services) -> Response[bytes]:
    """What every player reads first."""
    kind = sound.codec_of(codec)
    open_part = await audible(services, viewer, space_id)
    return sound_answer(await read_tape(lambda: sound.init(open_part, kind)), open_part)


@get(f"{SPACE}/hls/{{codec:str}}/{{file:str}}", opt=_LISTEN)
async def media_segment(
    space_id: int, codec: str, file: str, viewer: Viewer, services: Services, limits: Limits, request: AnyRequest
) -> Response[bytes]:
    """A segment, `{number}.m4s`, or a part of one, `{number}.{part}.m4s`; for the next part the request waits."""
    kind, name = sound.codec_of(codec), hls.MediaName.parse(file)
    if name is None:
        raise _no_segment()
    hearing = _Hearing(services, viewer, space_id, kind, request)
    open_part = await hearing.audible()
    if name.part is None:
        found = await read_tape(lambda: sound.segment(open_part, kind, name.segment))
    else:
        place = Place(name.segment, name.part)
        open_part = await hearing.after_hinted(open_part, place) or open_part
        found = await read_tape(lambda: sound.partial_segment(open_part, kind, place))
    if found is None:
        raise _no_segment()
    if open_part.is_live and await hearing.is_newest(open_part, name.segment):
        limits.sound_was_shared(client_address(request))
    answer = sound_answer(found.content, open_part)
    if name.revision != found.revision:
        answer.headers["Cache-Control"] = _OTHER_REVISION
    return answer


class _Asked(msgspec.Struct, frozen=True):
    """The delivery directives of a playlist request (6.2.5)."""

    segment: int | None
    part: int | None
    skip: bool

    @classmethod
    def of(cls, request: AnyRequest) -> "_Asked":
        """Raises Refused 400 for what is none; those that this server doesn't know are left alone."""
        segment, part = (_number(request.query_params.get(name)) for name in ("_HLS_msn", "_HLS_part"))
        if part is not None and segment is None:
            raise Refused("directive_invalid", "_HLS_part goes with _HLS_msn.", status=400)
        return cls(segment, part, request.query_params.get("_HLS_skip") in {"YES", "v2"})

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


class _Hearing(msgspec.Struct, frozen=True):
    """A request for one codec of a Space, which may have to wait."""

    services: Services
    viewer: Viewer
    space_id: int
    codec: Codec
    request: AnyRequest

    async def audible(self) -> Sound:
        return await audible(self.services, self.viewer, self.space_id)

    async def tape(self, open_part: Sound) -> LiveTape:
        with tape_errors():
            return await self.services.live_tapes.open(open_part)

    async def is_newest(self, open_part: Sound, segment: int) -> bool:
        """Whether everybody who listens live reads this segment or its parts just now."""
        tape = await self.tape(open_part)
        return tape.windows[self.codec].next_part.segment - segment <= _NEWEST_SEGMENTS

    async def after_hinted(self, open_part: Sound, place: Place) -> Sound | None:
        """Waits for a part if it is the next one; what may be heard then, or None if there was no wait."""
        if not open_part.is_live:
            return None
        tape = await self.tape(open_part)
        if tape.windows[self.codec].next_part != place:
            return None
        return await self.after(tape, lambda window: window.has(place))

    async def after(self, tape: LiveTape, is_there: Callable[[HlsWindow], bool]) -> Sound | None:
        """Waits until the window has it, for a bounded time, as long as the client does, and asks the gate anew."""
        if is_there(tape.windows[self.codec]):
            return None
        self.services.live_tapes.require_room()
        async with self.services.database.read() as read:
            hold(self.request, await listener_stamps(read, self.services, self.viewer, self.space_id))
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
        return await audible(self.services, await self._viewer_now(), self.space_id)

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


def _no_segment() -> Refused:
    return Refused("not_found", "There is no such segment.", status=404)


HANDLERS: list[Any] = [multivariant_playlist, replay_playlist, live_playlist, init_segment, media_segment]
