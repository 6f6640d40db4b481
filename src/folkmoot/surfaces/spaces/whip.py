"""Speaking by WHIP (RFC 9725): an SDP offer in, the answer out, for the web client and for other programs."""

from typing import Any

from litestar import Request, Response, delete, post
from litestar.datastructures import State

from folkmoot.gate import Action, Permit, Refused, Serves, Stamp, Viewer
from folkmoot.gate.model import member_subject, resume_subject, seat_subject, space_subject
from folkmoot.spaces import actions
from folkmoot.spaces import commands as c
from folkmoot.spaces.model import SpaceState
from folkmoot.storage.database import Read
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.spaces import load, seat_tokens
from folkmoot.surfaces.spaces.seat_tokens import SeatToken, TokenKind
from folkmoot.surfaces.spaces.spaces import SPACES
from folkmoot.surfaces.spaces.speaker import BY_SEAT_TOKEN_TOO

ApiRequest = Request[Any, Any, State]
OFFER_BYTES_MAX = 64 * 1024
RESUME_HEADER = "Folkmoot-Resume-Token"
WHIP = SPACES + "/{space_id:int}/whip"


@post(
    WHIP,
    opt=serves(Serves.SIGNED_IN, Action.SPEAK, "write:statuses"),
    dependencies=BY_SEAT_TOKEN_TOO,
    status_code=201,
    media_type="application/sdp",
)
async def whip_join(
    space_id: int,
    permit: Permit,
    seat_token: SeatToken | None,
    services: Services,
    request: Request[Any, Any, State],
) -> Response[str]:
    """Connect one's seat: an SDP offer in, the answer out (201). A newer offer replaces the older connection.

    The seat comes first, by the command `start` or `accept`, or by being let up: consent to the recording is given
    there, so that nobody is connected who has not been asked. `Folkmoot-Resume-Token` in the answer is a bearer
    token that connects this seat again, once, with no other credential.
    """
    sdp = await read_offer(request)
    async with services.database.read() as read:
        seat = await _own_seat(read, services, permit.viewer, space_id)
        stamps, once = await _stamps(read, services, permit.viewer, space_id, seat)
    if seat_token is not None and seat_token.once is not None:
        used = seat_token.once
        once = await services.gate.act(permit, lambda acting: seat_tokens.use_up(acting, used))
    resume = SeatToken(TokenKind.RESUME, space_id, seat, stamps, once)
    headers = {RESUME_HEADER: seat_tokens.issue(services.ticket_key, resume, services.clock_ms())}
    try:
        answer = await services.stages.offer(space_id, seat, sdp, stamps)
    except Refused as refusal:
        # A resume token is used up by now: who could not be connected yet gets the next one.
        raise Refused(
            refusal.code, refusal.sentence, status=refusal.status, headers=refusal.headers | headers
        ) from refusal
    headers["Location"] = f"{SPACES}/{space_id}/whip/{seat}"
    return Response(answer, status_code=201, media_type="application/sdp", headers=headers)


@delete(
    WHIP + "/{seat:int}",
    opt=serves(Serves.SIGNED_IN, Action.SPEAK, "write:statuses"),
    dependencies=BY_SEAT_TOKEN_TOO,
)
async def whip_leave(
    space_id: int, seat: int, permit: Permit, seat_token: SeatToken | None, services: Services
) -> None:
    """Leave: hang up and give the seat back; with a token of the seat, only hang up. Harmless if one has left."""
    async with services.database.read() as read:
        space = (await load.visible(read, services, permit.viewer, space_id)).item
    if space.member(permit.viewer.id).seat != seat:
        return
    if seat_token is None:
        await services.gate.act(permit, lambda acting: actions.command(acting, space_id, c.StepDown()))
    await services.stages.hang_up(space_id, seat)


async def read_offer(request: ApiRequest) -> str:
    """The SDP offer in the body. Raises Refused: 415 for another type, 413 for too much, 422 for no text."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/sdp":
        raise Refused("not_sdp", "Send the offer as application/sdp.", status=415)
    offer = await request.body()
    if len(offer) > OFFER_BYTES_MAX:
        raise Refused("offer_too_large", "This offer is too large to be one.", status=413)
    try:
        return offer.decode()
    except UnicodeDecodeError as error:
        raise Refused("offer_refused", "This offer is not text.", status=422) from error


async def _own_seat(read: Read, services: Services, viewer: Viewer, space_id: int) -> int:
    space = (await load.visible(read, services, viewer, space_id)).item
    if space.state is not SpaceState.LIVE:
        raise Refused("not_live", "This Space is not live.", status=409)
    seat = space.member(viewer.id).seat
    if seat is None:
        raise Refused("no_seat", "You have no seat on this stage. Ask to speak first.", status=403)
    return seat


async def _stamps(
    read: Read, services: Services, viewer: Viewer, space_id: int, seat: int
) -> tuple[tuple[Stamp, ...], Stamp]:
    """What the seat's connection hangs on, and what a resume token of it does besides."""
    own = {stamp.subject for stamp in viewer.stamps}
    subjects = {seat_subject(space_id, seat), member_subject(space_id, viewer.id), space_subject(space_id)} - own
    resumed = resume_subject(space_id, seat)
    stamps = await services.gate.stamps(read, viewer, [*sorted(subjects), resumed])
    return stamps[:-1], stamps[-1]


HANDLERS = [whip_join, whip_leave]
