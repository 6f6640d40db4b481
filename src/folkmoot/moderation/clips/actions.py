"""Decisions about clips. Each runs inside `Gate.act`, with a permit to moderate or one of the system."""

from folkmoot.gate import Acting, Kind, Refused, Standing, Subject, subjects
from folkmoot.gate.actions import impose_on, lift_from
from folkmoot.gate.model import Sanction
from folkmoot.moderation.actions import clean_text
from folkmoot.moderation.reports import actions as reports
from folkmoot.moderation.reports.model import Resolution


async def remove_clip(acting: Acting, clip_id: int, *, reason: str) -> Sanction:
    """Take one clip down: the post that it hangs on stays, its sound is shown to nobody until that is lifted.

    The reason stands in its place. Raises Refused: no reason; 404 no such clip; one's own, or of somebody above.
    """
    now = await impose_on(
        acting, Subject(Kind.CLIP, clip_id), Standing.REMOVED, reason=clean_text(reason, "reason")
    )
    await reports.resolve_about_clip(acting, clip_id, Resolution.REMOVED)
    return now


async def lift_clip(acting: Acting, clip_id: int) -> Sanction:
    """Bring a clip back as it was. Raises Refused: 404 no such clip; 422 one that was not removed."""
    subject = Subject(Kind.CLIP, clip_id)
    held = [one for one in (await subjects.open_of(acting.tx, [subject]))[subject] if one.in_force(acting.now_ms)]
    if not held:
        raise Refused("nothing_to_lift", "This clip was not removed.", status=422)
    return await lift_from(acting, subject, held)
