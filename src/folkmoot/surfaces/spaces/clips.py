"""Clips: a range of a Space becomes a file that its maker can post."""

import asyncio
import secrets

from litestar import post

from folkmoot.clips import actions, rules
from folkmoot.clips.cutting import cut_sound
from folkmoot.clips.model import Clip
from folkmoot.gate import Action, Permit, Serves, Viewer, Visible, invalid
from folkmoot.posts.files.model import Media
from folkmoot.recordings import queries as recordings
from folkmoot.spaces.commands import read_id
from folkmoot.spaces.model import Space
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.mastodon.load_statuses import admit_media, media_url
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.spaces import load, schema


@post("/api/folkmoot/v1/clips", opt=serves(Serves.SIGNED_IN, Action.CLIP, "write:media"))
async def create_clip(data: schema.CreateClip, permit: Permit, services: Services) -> schema.Clip:
    """Cut 1 to 120 seconds out of a recorded Space, also while it is live. Attach `media_id` to a post."""
    try:
        space_id = read_id(data.space)
    except ValueError as error:
        raise invalid(str(error)) from error
    # What is wrong with the numbers alone is said before anything is read.
    rules.require_range(data.start_ms, data.end_ms, 0, max(data.start_ms, data.end_ms))
    visible, (from_ms, to_ms) = await _clippable(services, permit.viewer, space_id)
    tape, cut_at_ms = services.tapes_directory / str(space_id), services.clock_ms()
    sound = await asyncio.to_thread(cut_sound, tape, data.start_ms, data.end_ms, from_ms, to_ms)
    key = f"clips/{space_id}/{secrets.token_hex(16)}.m4a"
    await services.objects.put(key, sound.content, sound.content_type)
    try:
        clip, media = await services.gate.act(
            permit,
            lambda acting: actions.create_clip(acting, visible, data.start_ms, data.end_ms, sound, key, cut_at_ms),
        )
    except BaseException:
        await services.objects.delete(key)
        raise
    return await _present(services, permit.viewer, clip, media)


async def _clippable(
    services: Services, viewer: Viewer, space_id: int
) -> tuple[Visible[Space], tuple[int, int | None]]:
    """The Space, and from where to where it can be clipped: what was trimmed away is not there to be clipped."""
    async with services.database.read() as read:
        visible = await load.for_listening(read, services, viewer, space_id)
        recording = await recordings.of_space(read, visible.item)
    rules.require_clippable(visible.item, recording)
    return visible, (0, None) if recording is None else (recording.replay_start_ms, recording.replay_end_ms)


async def _present(services: Services, viewer: Viewer, clip: Clip, media: Media) -> schema.Clip:
    async with services.database.read() as read:
        visible, space = await admit_media(read, services, viewer, media)
    return schema.Clip(
        id=str(clip.id),
        media_id=str(media.id),
        space_id=str(clip.space_id),
        start_ms=clip.start_ms,
        end_ms=clip.end_ms,
        url=media_url(services.clock_ms(), services, visible, space),
        page_url=f"{services.site.base_url}/spaces/{clip.space_id}?at={clip.start_ms}",
    )


HANDLERS = [create_clip]
