"""The sound of a Space over plain HTTP: ranges for stepping back and seeking, waveform, download, trimming.

Live and replayed alike, all of it is read from the tape, and each request asks the gate. What anybody may hear may
be kept by caches for some seconds (`caching`): taking a Space's sound back is a matter of the Space.
"""

import asyncio
import errno
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Annotated, Any, TypeVar

from litestar import Request, Response, delete, get, patch
from litestar.params import Parameter
from litestar.response import Stream

from folkmoot.gate import ANONYMOUS, Action, Permit, Refused, Serves, Stamp, Viewer
from folkmoot.recordings import actions, sound
from folkmoot.recordings import queries as recordings
from folkmoot.recordings.sound import PEAKS_MAX, Sound
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.spaces import caching, load, schema
from folkmoot.surfaces.spaces.spaces import SPACES, listener_stamps
from folkmoot.surfaces.under_way import hold
from folkmoot.tape.cut import MEDIA_TYPE, download
from folkmoot.tape.model import TapeAway, TapeError, TapeMissing
from folkmoot.tape.reader import TapeReader

Found = TypeVar("Found")
SPACE = f"{SPACES}/{{space_id:int}}"
SEGMENT_TYPE = "audio/mp4"
TAPE_AWAY = "This recording is kept in a store that can't be reached just now. Try again in a minute."
_LISTEN = serves(Serves.ANYONE, Action.LISTEN, "read:statuses")
_CHANGE = serves(Serves.SIGNED_IN, Action.OPEN_SPACE, "write:statuses")
_NO_FILE_FREE = {errno.EMFILE, errno.ENFILE}
_BLOCKS_PER_PIECE = 40
_FRESH = {"Cache-Control": "no-cache"}

Points = Annotated[int, Parameter(ge=1, le=PEAKS_MAX)]


@get(f"{SPACE}/media/{{codec:str}}/init.mp4", opt=_LISTEN)
async def media_init(space_id: int, codec: str, viewer: Viewer, services: Services) -> Response[bytes]:
    """What a player reads first."""
    kind = sound.codec_of(codec)
    open_part = await audible(services, viewer, space_id)
    return sound_answer(await read_tape(lambda: sound.init(open_part, kind)), open_part)


@get(f"{SPACE}/media/{{codec:str}}", opt=_LISTEN)
async def media_range(
    space_id: int, codec: str, from_ms: int, to_ms: int, viewer: Viewer, services: Services
) -> Response[bytes]:
    """Whole chunks that cover a range of at most a minute; `Folkmoot-Range-Ms` says which they cover."""
    kind = sound.codec_of(codec)
    sound.require_range(from_ms, to_ms)
    open_part = await audible(services, viewer, space_id)
    found = await read_tape(lambda: sound.stretch(open_part, kind, from_ms, to_ms))
    if found is None:
        raise Refused("range_beyond_recording", "The recording has nothing there.", status=416)
    answer = sound_answer(found.content, open_part)
    answer.headers["Folkmoot-Range-Ms"] = f"{found.start_ms}-{found.end_ms}"
    return answer


@get(f"{SPACE}/waveform", opt=_LISTEN)
async def show_waveform(
    space_id: int, viewer: Viewer, services: Services, points: Points = 1000
) -> Response[schema.Waveform]:
    """Peaks over the replay, or over what there is so far."""
    open_part = await audible(services, viewer, space_id)
    found = await read_tape(lambda: sound.peaks(open_part, points))
    body = schema.Waveform(step_ms=found.step_ms, start_ms=found.start_ms, peaks=found.peaks)
    return Response(body, headers=_FRESH)


@get(f"{SPACE}/download", opt=_LISTEN)
async def download_replay(
    space_id: int, viewer: Viewer, services: Services, request: Request[Any, Any, Any]
) -> Stream:
    """The replay as one .m4a. It ends at once if the right to hear it does."""
    open_part, stamps = await audible_under(services, viewer, space_id)
    if open_part.is_live:
        raise Refused("not_ended", "This Space can be downloaded when it has ended.", status=409)
    hold(request, stamps)
    page = f"{services.site.base_url}/spaces/{space_id}"
    reader = await read_tape(lambda: TapeReader(open_part.directory))
    try:
        cut = await read_tape(lambda: download(reader, open_part.from_ms, open_part.to_ms, page))
    except BaseException:
        reader.close()
        raise

    async def pieces() -> AsyncIterator[bytes]:
        blocks = iter(cut)
        try:
            while piece := await asyncio.to_thread(_joined, blocks):
                yield piece
        finally:
            reader.close()

    headers = {
        "Content-Length": str(cut.length_bytes),
        "Content-Disposition": f'attachment; filename="space-{space_id}.m4a"',
        "Cache-Control": "private, no-cache",
    }
    return Stream(pieces(), media_type=MEDIA_TYPE, headers=headers)


@patch(f"{SPACE}/replay", opt=_CHANGE)
async def trim_replay(space_id: int, data: schema.TrimReplay, permit: Permit, services: Services) -> schema.Space:
    """Let the replay begin later or end earlier, and back again: nothing is cut away."""
    await _require_visible(services, permit.viewer, space_id)
    await services.gate.act(
        permit, lambda acting: actions.trim_replay(acting, space_id, data.start_ms, data.end_ms)
    )
    return await _present(services, permit.viewer, space_id)


@delete(f"{SPACE}/replay", opt=_CHANGE, status_code=200)
async def delete_replay(space_id: int, permit: Permit, services: Services) -> schema.Space:
    """Delete the recording for good."""
    await _require_visible(services, permit.viewer, space_id)
    await services.gate.act(permit, lambda acting: actions.delete_recording(acting, space_id))
    return await _present(services, permit.viewer, space_id)


async def audible(services: Services, viewer: Viewer, space_id: int, browser: bytes | None = None) -> Sound:
    """What the viewer may hear of a Space now. Raises Refused. `browser`: the mark of theirs."""
    return (await audible_under(services, viewer, space_id, browser))[0]


async def audible_under(
    services: Services, viewer: Viewer, space_id: int, browser: bytes | None = None
) -> tuple[Sound, tuple[Stamp, ...]]:
    """The same, with what that hangs on, of one moment: whoever loses the right after it has older stamps."""
    async with services.database.read() as read:
        stamps = await listener_stamps(read, services, viewer, space_id)
        space = (await load.for_listening(read, services, viewer, space_id, browser)).item
        recording, is_closed = None, False
        if space.state.terminal:
            recording = await recordings.of_space(read, space)
            is_closed = recording is not None or await recordings.is_closed(read, space_id)
        is_public = viewer.account_id is None or bool(await services.gate.admit(read, ANONYMOUS, [space]))
    directory = services.tapes_directory / str(space_id)
    return sound.audible(space, recording, directory, is_closed=is_closed, is_public=is_public), stamps


async def read_tape(work: Callable[[], Found]) -> Found:
    """File work in a thread, with the tape's errors as answers."""
    with tape_errors():
        return await asyncio.to_thread(work)


@contextmanager
def tape_errors() -> Iterator[None]:
    """The tape's errors as answers, and that no file is free, which players ask about many times a second."""
    try:
        yield
    except TapeMissing as error:
        raise nothing_yet() from error
    except OSError as error:
        if error.errno not in _NO_FILE_FREE:
            raise
        raise nothing_yet() from error
    except TapeAway as error:
        raise Refused("store_away", TAPE_AWAY, status=503, headers={"Retry-After": "30"}) from error
    except TapeError as error:
        raise Refused("recording_damaged", "This part of the recording can't be read.", status=410) from error


def nothing_yet() -> Refused:
    return Refused("nothing_yet", "There is nothing to hear yet. Try again in a moment.", status=503)


def sound_answer(content: bytes, open_part: Sound) -> Response[bytes]:
    return Response(
        content, media_type=SEGMENT_TYPE, headers=caching.kept(open_part, caching.renewed(caching.SOUND_SECONDS))
    )


def _joined(blocks: Iterator[bytes]) -> bytes:
    """The next few seconds; empty at the end."""
    return b"".join(islice(blocks, _BLOCKS_PER_PIECE))


async def _require_visible(services: Services, viewer: Viewer, space_id: int) -> None:
    async with services.database.read() as read:
        await load.visible(read, services, viewer, space_id)


async def _present(services: Services, viewer: Viewer, space_id: int) -> schema.Space:
    async with services.database.read() as read:
        return await load.present_one(read, services, viewer, space_id)


HANDLERS: list[Any] = [
    media_init,
    media_range,
    show_waveform,
    download_replay,
    trim_replay,
    delete_replay,
]
