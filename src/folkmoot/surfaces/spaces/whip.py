"""Speaking by WHIP (RFC 9725): an SDP offer in, the answer out, for the web client and for other programs.

Of the RFC's options trickle ICE and ICE restarts are not there (PATCH is 405): offers and answers are complete, and
whoever changes networks offers anew with the resume token.
"""

from litestar import Response, delete, post
from msgspec.structs import replace

from folkmoot.gate import Acting, Action, Permit, Refused, Serves, Stamp, Viewer
from folkmoot.gate.actions import revoke
from folkmoot.gate.model import member_subject, program_subject, resume_subject, seat_subject, space_subject
from folkmoot.spaces import actions
from folkmoot.spaces import commands as c
from folkmoot.spaces.model import SpaceState
from folkmoot.storage.database import Read
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.limits import Limits
from folkmoot.surfaces.networks import address_of
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.spaces import load, schema, seat_tokens
from folkmoot.surfaces.spaces.offers import SDP, ApiRequest, ice_links, read_offer
from folkmoot.surfaces.spaces.seat_tokens import SeatToken, TokenKind
from folkmoot.surfaces.spaces.spaces import SPACES
from folkmoot.surfaces.spaces.speaker import BY_SEAT_TOKEN_TOO

RESUME_HEADER = "Folkmoot-Resume-Token"
WHIP = SPACES + "/{space_id:int}/whip"


@post(
    WHIP,
    opt=serves(Serves.SIGNED_IN, Action.SPEAK, "write:statuses"),
    dependencies=BY_SEAT_TOKEN_TOO,
    status_code=201,
    media_type=SDP,
)
async def whip_join(
    space_id: int,
    permit: Permit,
    seat_token: SeatToken | None,
    services: Services,
    limits: Limits,
    request: ApiRequest,
) -> Response[str]:
    """Connect one's seat: an SDP offer in, the answer out (201). The newest connection replaces the older one.

    The seat comes first, by the command `start` or `accept`, or by being let up: consent to the recording is given
    there, so that nobody is connected who has not been asked. `Folkmoot-Resume-Token` in the answer is a bearer
    token that connects this seat again, once, with no other credential.
    """
    sdp = await read_offer(request)
    async with services.database.read() as read:
        seat = await _own_seat(read, services, permit.viewer, space_id)
        stamps = await _stamps(read, services, permit.viewer, space_id, seat)
    limits.offer(space_id, seat)
    # Not in the token: it is for whoever comes back from another network.
    here = await services.networks.stamps(address_of(request))
    resume = SeatToken(TokenKind.RESUME, space_id, seat, stamps)
    if seat_token is not None and seat_token.once is not None:
        used = seat_token.once
        once = await services.gate.act(permit, lambda acting: seat_tokens.use_up(acting, used))
        resume = replace(resume, once=once, continues=seat_token.continues)
    try:
        answer = await services.stages.offer(space_id, seat, sdp, stamps + here, resume.continues)
    except Refused as refusal:
        if resume.once is None:
            raise
        # The token is used up by now: who could not be connected yet gets the next one.
        headers = refusal.headers | {RESUME_HEADER: _issue(services, resume)}
        raise Refused(refusal.code, refusal.sentence, status=refusal.status, headers=headers) from refusal
    if resume.once is None:
        once = Stamp(resume_subject(space_id, seat, answer.connection), 0)
        resume = replace(resume, once=once, continues=answer.connection)
    headers = {
        "Location": f"{SPACES}/{space_id}/whip/{seat}/{answer.connection}",
        RESUME_HEADER: _issue(services, resume),
        **ice_links(services.ice_servers(permit.viewer)),
    }
    return Response(answer.sdp, status_code=201, media_type=SDP, headers=headers)


@delete(
    WHIP + "/{seat:int}/{connection:str}",
    opt=serves(Serves.SIGNED_IN, Action.SPEAK, "write:statuses"),
    dependencies=BY_SEAT_TOKEN_TOO,
    status_code=200,
)
async def whip_leave(
    space_id: int, seat: int, connection: str, permit: Permit, seat_token: SeatToken | None, services: Services
) -> None:
    """Leave: hang up and give the seat back; with a token of the seat, only hang up. Harmless if one has left."""
    async with services.database.read() as read:
        space = (await load.visible(read, services, permit.viewer, space_id)).item
    if space.member(permit.viewer.id).seat != seat:
        return
    if seat_token is not None:
        await services.stages.hang_up_connection(space_id, connection)
        return
    await services.gate.act(permit, lambda acting: actions.command(acting, space_id, c.StepDown()))
    await services.stages.hang_up(space_id, seat)


@post(WHIP + "/tokens", opt=serves(Serves.SIGNED_IN, Action.SPEAK, "write:statuses"), status_code=201)
async def make_publishing_token(space_id: int, permit: Permit, services: Services) -> schema.PublishingToken:
    """Address and bearer token with which another program (OBS) speaks on one's seat. The one before ends."""
    async with services.database.read() as read:
        seat = await _own_seat(read, services, permit.viewer, space_id)
        stamps = await _stamps(read, services, permit.viewer, space_id, seat)
    subject = program_subject(space_id, seat)

    async def end_the_one_before(acting: Acting) -> int:
        return await revoke(acting, subject)

    made_under = Stamp(subject, await services.gate.act(permit, end_the_one_before))
    token = SeatToken(TokenKind.PROGRAM, space_id, seat, (*stamps, made_under))
    return schema.PublishingToken(
        url=f"{services.site.base_url}{SPACES}/{space_id}/whip",
        token=_issue(services, token),
    )


async def _own_seat(read: Read, services: Services, viewer: Viewer, space_id: int) -> int:
    space = (await load.visible(read, services, viewer, space_id)).item
    if space.state is not SpaceState.LIVE:
        raise Refused("not_live", "This Space is not live.", status=409)
    seat = space.member(viewer.id).seat
    if seat is None:
        raise Refused("no_seat", "You have no seat on this stage. Ask to speak first.", status=403)
    return seat


async def _stamps(read: Read, services: Services, viewer: Viewer, space_id: int, seat: int) -> tuple[Stamp, ...]:
    """What the seat's connection hangs on. A token of the seat brings all of it."""
    own = {stamp.subject for stamp in viewer.stamps}
    subjects = {seat_subject(space_id, seat), member_subject(space_id, viewer.id), space_subject(space_id)}
    return await services.gate.stamps(read, viewer, sorted(subjects - own))


def _issue(services: Services, token: SeatToken) -> str:
    return seat_tokens.issue(services.ticket_key, token, services.clock_ms())


HANDLERS = [whip_join, whip_leave, make_publishing_token]
