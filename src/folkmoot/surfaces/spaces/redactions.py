"""Taking something out of a Space's sound, and taking back one's consent to the recording. Neither is undone."""

import structlog
from litestar import delete, post

from folkmoot.clips.redacting import Carrying
from folkmoot.gate import Action, Permit, Refused, Serves
from folkmoot.recordings import redacting
from folkmoot.recordings.model import Reason
from folkmoot.recordings.rules import may_moderate
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.spaces import load, schema
from folkmoot.surfaces.spaces.spaces import SPACES
from folkmoot.tape.model import TapeError

log = structlog.get_logger(__name__)
SPACE = f"{SPACES}/{{space_id:int}}"


@post(
    f"{SPACE}/redactions",
    opt=serves(Serves.SIGNED_IN, Action.REDACT, "write:statuses"),
    status_code=200,
)
async def redact_space(space_id: int, data: schema.Redact, permit: Permit, services: Services) -> schema.Space:
    """Take a range out of the live sound, the replay, HLS and every clip, as a host or a moderator. For good.

    When this answers, nothing of it is served any more.
    """
    shown = load.to_moderate if may_moderate(permit.viewer) else load.present_one
    async with services.database.read() as read:
        await shown(read, services, permit.viewer, space_id)
    sound_ms = await _carrying(services).sound_ms(space_id)
    reason = Reason(data.reason.value)
    await services.gate.act(
        permit, lambda acting: redacting.redact(acting, space_id, data.from_ms, data.to_ms, reason, sound_ms)
    )
    await _carry_out(services, space_id)
    async with services.database.read() as read:
        return await shown(read, services, permit.viewer, space_id)


@delete(f"{SPACE}/consent", opt=serves(Serves.ROOM, Action.TAKE_BACK_CONSENT, "write:statuses"), status_code=200)
async def take_back_consent(space_id: int, permit: Permit, services: Services) -> schema.ConsentTakenBack:
    """Leave the stage, and have everything that one said in this Space taken out, with whatever others said at the
    same time. Also afterwards, and also for who was suspended."""
    account_id = permit.viewer.id
    seats = await services.gate.act(permit, lambda acting: redacting.take_back_consent(acting, space_id))
    for seat in seats:
        await services.stages.hang_up(space_id, seat)
    try:
        decided = await _carrying(services).take_back(space_id, account_id, seats)
    except (TapeError, OSError) as error:
        raise _later(space_id) from error
    return schema.ConsentTakenBack(ranges=[(one.from_ms, one.to_ms) for one in decided])


async def _carry_out(services: Services, space_id: int) -> None:
    try:
        await _carrying(services).carry_out(space_id)
    except (TapeError, OSError) as error:
        raise _later(space_id) from error


def _later(space_id: int) -> Refused:
    """It is decided, and a job repeats it until it is done."""
    log.exception("redaction.not_carried_out", space=space_id)
    return Refused(
        "not_yet_taken_out",
        "It is decided, but could not be carried out yet: the server tries again until it is done.",
        status=503,
        headers={"Retry-After": "5"},
    )


def _carrying(services: Services) -> Carrying:
    return Carrying(services.gate, services.objects, services.tapes_directory)


HANDLERS = [redact_space, take_back_consent]
