"""HLS: the sound of a Space for every player, a second behind while it is live, and as a replay afterwards.

Each playlist and each piece of sound has two addresses. Below `hls/shared/` credentials are not looked at: what
anybody may hear is answered to all alike, so that one cache serves millions (`caching`). Below `hls/` whoever asks
is asked who they are: the Spaces that not everybody may hear. The multivariant playlist names the one or the other.
"""

from typing import Any

from litestar import Response, get

from folkmoot.gate import Action, Serves, Viewer
from folkmoot.recordings import sound
from folkmoot.surfaces.browser import browser_shown
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.limits import Limits
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.spaces import caching
from folkmoot.surfaces.spaces.hearing import AnyRequest, Hearing
from folkmoot.surfaces.spaces.replay import SPACE, audible
from folkmoot.tape import hls
from folkmoot.tape.model import Codec

_LISTEN = serves(Serves.ANYONE, Action.LISTEN, "read:statuses")
_SHARED = serves(Serves.ALIKE, Action.LISTEN)
_OWN, _ALL = f"{SPACE}/hls/{{codec:str}}", f"{SPACE}/hls/{hls.SHARED}/{{codec:str}}"


@get(f"{SPACE}/hls/index.m3u8", opt=_LISTEN)
async def multivariant_playlist(
    space_id: int, viewer: Viewer, services: Services, request: AnyRequest, codec: str = Codec.AAC
) -> Response[str]:
    """HLS (RFC 8216): where players begin. AAC, which all can play, or with `codec=opus` Opus."""
    kind = sound.codec_of(codec)
    open_part = await audible(services, viewer, space_id, browser_shown(request.cookies, services))
    text = hls.multivariant_playlist(kind, is_live=open_part.is_live, is_shared=open_part.is_public)
    kept = caching.kept(open_part, caching.renewed(caching.PLAYLIST_SECONDS))
    return Response(text, media_type=hls.MEDIA_TYPE, headers=kept)


@get(f"{_OWN}/index.m3u8", opt=_LISTEN)
async def replay_playlist(
    space_id: int, codec: str, viewer: Viewer, services: Services, request: AnyRequest
) -> Response[str]:
    """The segments of one codec of a replay."""
    return await Hearing.of(services, viewer, space_id, codec, request).replay_playlist()


@get(f"{_OWN}/live.m3u8", opt=_LISTEN)
async def live_playlist(
    space_id: int, codec: str, viewer: Viewer, services: Services, limits: Limits, request: AnyRequest
) -> Response[str]:
    """The last ten minutes of one codec, with low latency: `_HLS_msn`, `_HLS_part`, `_HLS_skip`."""
    return await Hearing.of(services, viewer, space_id, codec, request).live_playlist(limits)


@get(f"{_OWN}/init.mp4", opt=_LISTEN)
async def init_segment(
    space_id: int, codec: str, viewer: Viewer, services: Services, request: AnyRequest
) -> Response[bytes]:
    """What every player reads first."""
    return await Hearing.of(services, viewer, space_id, codec, request).init_segment()


@get(f"{_OWN}/{{file:str}}", opt=_LISTEN)
async def media_segment(
    space_id: int, codec: str, file: str, viewer: Viewer, services: Services, limits: Limits, request: AnyRequest
) -> Response[bytes]:
    """A segment, `{number}.m4s`, or a part of one, `{number}.{part}.m4s`; for the next part the request waits."""
    return await Hearing.of(services, viewer, space_id, codec, request).media(file, limits)


@get(f"{_ALL}/index.m3u8", opt=_SHARED)
async def shared_replay_playlist(
    space_id: int, codec: str, viewer: Viewer, services: Services, request: AnyRequest
) -> Response[str]:
    """The same, if anybody may hear it, for caches."""
    with caching.refusing_all_alike():
        return await Hearing.of(services, viewer, space_id, codec, request).replay_playlist()


@get(f"{_ALL}/live.m3u8", opt=_SHARED)
async def shared_live_playlist(
    space_id: int, codec: str, viewer: Viewer, services: Services, limits: Limits, request: AnyRequest
) -> Response[str]:
    """The same, if anybody may hear it, for caches."""
    with caching.refusing_all_alike():
        return await Hearing.of(services, viewer, space_id, codec, request).live_playlist(limits)


@get(f"{_ALL}/init.mp4", opt=_SHARED)
async def shared_init_segment(
    space_id: int, codec: str, viewer: Viewer, services: Services, request: AnyRequest
) -> Response[bytes]:
    """The same, if anybody may hear it, for caches."""
    with caching.refusing_all_alike():
        return await Hearing.of(services, viewer, space_id, codec, request).init_segment()


@get(f"{_ALL}/{{file:str}}", opt=_SHARED)
async def shared_media_segment(
    space_id: int, codec: str, file: str, viewer: Viewer, services: Services, limits: Limits, request: AnyRequest
) -> Response[bytes]:
    """The same, if anybody may hear it, for caches."""
    with caching.refusing_all_alike():
        return await Hearing.of(services, viewer, space_id, codec, request).media(file, limits)


HANDLERS: list[Any] = [
    multivariant_playlist,
    replay_playlist,
    live_playlist,
    init_segment,
    media_segment,
    shared_replay_playlist,
    shared_live_playlist,
    shared_init_segment,
    shared_media_segment,
]
