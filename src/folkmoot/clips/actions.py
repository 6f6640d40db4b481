"""Writes of clips."""

from sqlalchemy import delete, insert

from folkmoot.clips import rules
from folkmoot.clips.cutting import CutSound
from folkmoot.clips.model import Clip
from folkmoot.clips.redacting import marks
from folkmoot.gate import Acting, Action, Kind, Refused, Subject, Visible, subjects
from folkmoot.posts.files import actions as files
from folkmoot.posts.files.model import Media, MediaDetails
from folkmoot.recordings import queries as recordings
from folkmoot.recordings.model import Redaction
from folkmoot.spaces import queries as spaces
from folkmoot.spaces.listening import require_not_removed
from folkmoot.spaces.model import Space
from folkmoot.storage.events import emit
from folkmoot.storage.tables.spaces import clips

CLIP_CREATED = "clip.created"


async def create_clip(
    acting: Acting,
    space: Visible[Space],
    start_ms: int,
    end_ms: int,
    sound: CutSound,
    object_key: str,
    cut_at_ms: int,
) -> tuple[Clip, Media]:
    """Enter a clip that was cut and stored under `object_key`, as a file of the actor that hangs on no post yet.

    Raises Refused when the recording was deleted, something of the range taken out, or the actor removed from the
    Space since `cut_at_ms` (Unix), when cutting began. Whether the actor may see the Space was decided when `space`
    was admitted.
    """
    current = await _still_clippable(acting, space)
    taken_out = await _taken_out(acting, current.id, start_ms, end_ms, cut_at_ms)
    clip = Clip(
        id=acting.tx.new_id(),
        space_id=current.id,
        account_id=acting.actor_id,
        start_ms=start_ms,
        end_ms=end_ms,
        created_at_ms=acting.now_ms,
    )
    await acting.tx.connection.execute(
        insert(clips).values(
            id=clip.id,
            space_id=clip.space_id,
            account_id=clip.account_id,
            start_ms=start_ms,
            end_ms=end_ms,
            created_at_ms=clip.created_at_ms,
        )
    )
    duration_ms = end_ms - start_ms
    media = Media(
        id=acting.tx.new_id(),
        account_id=acting.actor_id,
        kind="audio",
        content_type=sound.content_type,
        object_key=object_key,
        size_bytes=len(sound.content),
        description=rules.description(current.title, start_ms, end_ms),
        details=MediaDetails(
            duration_ms=duration_ms,
            bitrate=len(sound.content) * 8_000 // duration_ms,
            waveform=sound.waveform,
            waveform_step_ms=sound.waveform_step_ms,
            taken_out=tuple(marks(start_ms, end_ms, taken_out)),
        ),
        created_at_ms=acting.now_ms,
        clip_id=clip.id,
    )
    await files.add(acting, media)
    await emit(acting.tx, CLIP_CREATED, {"clip": str(clip.id), "space": str(clip.space_id)})
    return clip, media


async def forget_unattached(acting: Acting, count_max: int) -> int:
    """Delete files that hung on no post for a day, with the clips that they were; return how many."""
    forgotten = await files.forget_unattached(acting, count_max)
    cut = [clip_id for clip_id in forgotten if clip_id is not None]
    await acting.tx.connection.execute(delete(clips).where(clips.c.id.in_(cut)))
    return len(forgotten)


async def delete_own_file(acting: Acting, media_id: int) -> None:
    """Delete one of the actor's own files that hangs on no post, with the clip that it was. Raises Refused."""
    cut = await files.delete_own(acting, media_id)
    if cut is not None:
        await acting.tx.connection.execute(delete(clips).where(clips.c.id == cut))


async def _still_clippable(acting: Acting, space: Visible[Space]) -> Space:
    current = await spaces.by_id(acting.tx, space.item.id)
    if current is None:
        raise Refused("not_found", "Space not found.", status=404)
    await subjects.require(acting.tx, Subject(Kind.SPACE, current.id), Action.CLIP)
    rules.require_clippable(current, await recordings.of_space(acting.tx, current))
    require_not_removed(current, acting.actor_id)
    return current


async def _taken_out(acting: Acting, space_id: int, start_ms: int, end_ms: int, cut_at_ms: int) -> list[Redaction]:
    """What is silent in the clip. Raises Refused 409 for what may have been cut before it was silent."""
    decided = (await recordings.redactions_of(acting.tx, [space_id]))[space_id]
    found = [one for one in decided if one.overlaps(start_ms, end_ms)]
    if any(one.applied_at_ms is None or one.applied_at_ms >= cut_at_ms for one in found):
        raise Refused("recording_changed", "Something was just taken out of this. Cut the clip again.", status=409)
    return found
