"""What proves that a Space's sound is what was said: for anybody who may hear it, to check it without us."""

from typing import Annotated

from litestar import MediaType, Response, get
from litestar.params import Parameter

from folkmoot.gate import Action, Refused, Serves, Viewer
from folkmoot.recordings import sound
from folkmoot.recordings.sound import Sound
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.spaces.replay import SPACE, audible, read_tape
from folkmoot.tape.model import Codec
from folkmoot.tape.proof import Proof, checkpoints, prove
from folkmoot.tape.reader import TapeReader

PROOF_MS_MAX = 300_000
_LISTEN = serves(Serves.ANYONE, Action.LISTEN, "read:statuses")
_FRESH = {"Cache-Control": "no-cache"}

Skip = Annotated[int, Parameter(ge=0, le=10_000_000)]


@get(f"{SPACE}/proof/{{codec:str}}", opt=_LISTEN)
async def show_proof(
    space_id: int, codec: str, from_ms: int, to_ms: int, viewer: Viewer, services: Services
) -> Response[Proof]:
    """What is signed of a range of at most five minutes: leaves, and the hashes that lead to a signed root."""
    kind = sound.codec_of(codec)
    if from_ms < 0 or not 0 < to_ms - from_ms <= PROOF_MS_MAX:
        raise Refused("range_invalid", f"Ask for at most {PROOF_MS_MAX // 1000} seconds at once.", status=422)
    open_part = await audible(services, viewer, space_id)
    found = await read_tape(lambda: _proof(open_part, kind, from_ms, to_ms))
    if found is None:
        raise _not_signed()
    return Response(found, headers=_FRESH)


@get(f"{SPACE}/proof/{{codec:str}}/checkpoints", opt=_LISTEN)
async def show_checkpoints(
    space_id: int, codec: str, viewer: Viewer, services: Services, skip: Skip = 0
) -> Response[str]:
    """The signed checkpoints (C2SP tlog-checkpoint), oldest first, 500 at once, without the first `skip`."""
    kind = sound.codec_of(codec)
    open_part = await audible(services, viewer, space_id)
    found = await read_tape(lambda: checkpoints(open_part.directory, kind, skip))
    if found is None:
        raise _not_signed()
    return Response(found, media_type=MediaType.TEXT, headers=_FRESH)


def _proof(open_part: Sound, codec: Codec, from_ms: int, to_ms: int) -> Proof | None:
    """Of what can be heard: but what a trim hides is proven too, or nothing behind it could be."""
    if open_part.back_ms is not None:
        with TapeReader(open_part.directory) as reader:
            from_ms = max(from_ms, open_part.bounds(reader)[0])
    return prove(open_part.directory, codec, from_ms, to_ms, open_part.to_ms)


def _not_signed() -> Refused:
    return Refused("not_signed", "Nothing of this recording is signed yet. Try again in a moment.", status=404)


HANDLERS = [show_proof, show_checkpoints]
