"""Speaking: WHIP-shaped joining (draft-ietf-wish-whip, RFC 9725) and the sidecar that turns seats into people."""

import contextlib
from functools import partial
from typing import Any

from litestar import Request, Response, delete, get, post
from litestar.datastructures import State
from litestar.enums import MediaType

from folkmoot.gate import Action, Permit, Refused, Serves, Viewer
from folkmoot.gate import queries as gate_queries
from folkmoot.gate.gate import shown_to_others
from folkmoot.gate.model import member_subject, seat_subject, space_subject
from folkmoot.recordings.sound import Sound
from folkmoot.spaces import actions, queries
from folkmoot.spaces import commands as c
from folkmoot.spaces.model import SpaceState
from folkmoot.storage.database import Read
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.spaces import load, present, schema
from folkmoot.surfaces.spaces.replay import audible, read_tape
from folkmoot.surfaces.spaces.spaces import SPACES
from folkmoot.tape.model import TapeMissing
from folkmoot.tape.reader import TapeReader

OFFER_BYTES_MAX = 64 * 1024
SPEECH_RANGE_MS_MAX = 600_000
WHIP = SPACES + "/{space_id:int}/whip"


@post(
    WHIP,
    opt=serves(Serves.SIGNED_IN, Action.SPEAK, "write:statuses"),
    status_code=201,
    media_type="application/sdp",
)
async def whip_join(
    space_id: int, permit: Permit, services: Services, request: Request[Any, Any, State]
) -> Response[str]:
    """Connect one's seat: an SDP offer in, the answer out (201). A newer offer replaces the older connection.

    The seat comes first, by the command `start` or `accept`, or by being let up: consent to the recording is given
    there, so that nobody is connected who has not been asked.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/sdp":
        raise Refused("not_sdp", "Send the offer as application/sdp.", status=415)
    offer = await request.body()
    if len(offer) > OFFER_BYTES_MAX:
        raise Refused("offer_too_large", "This offer is too large to be one.", status=413)
    viewer = permit.viewer
    async with services.database.read() as read:
        seat = await _own_seat(read, services, viewer, space_id)
        subjects = (
            seat_subject(space_id, seat),
            member_subject(space_id, viewer.id),
            space_subject(space_id),
        )
        stamps = await services.gate.stamps(read, viewer, subjects)
    try:
        text = offer.decode()
    except UnicodeDecodeError as error:
        raise Refused("offer_refused", "This offer is not text.", status=422) from error
    answer = await services.stages.offer(space_id, seat, text, stamps)
    location = f"{SPACES}/{space_id}/whip/{seat}"
    return Response(answer, status_code=201, media_type="application/sdp", headers={"Location": location})


@delete(WHIP + "/{seat:int}", opt=serves(Serves.SIGNED_IN, Action.SPEAK, "write:statuses"))
async def whip_leave(space_id: int, seat: int, permit: Permit, services: Services) -> None:
    """Leave: hang up and give the seat back. Harmless if one has left already."""
    async with services.database.read() as read:
        space = (await load.visible(read, services, permit.viewer, space_id)).item
    if space.member(permit.viewer.id).seat == seat:
        await services.gate.act(permit, lambda acting: actions.command(acting, space_id, c.StepDown()))
        await services.stages.hang_up(space_id, seat)


async def _own_seat(read: Read, services: Services, viewer: Viewer, space_id: int) -> int:
    space = (await load.visible(read, services, viewer, space_id)).item
    if space.state is not SpaceState.LIVE:
        raise Refused("not_live", "This Space is not live.", status=409)
    seat = space.member(viewer.id).seat
    if seat is None:
        raise Refused("no_seat", "You have no seat on this stage. Ask to speak first.", status=403)
    return seat


@get(
    SPACES + "/{space_id:int}/seats",
    opt=serves(Serves.ANYONE, scope="read:statuses"),
    media_type=MediaType.JSON,
)
async def get_seats(
    space_id: int,
    viewer: Viewer,
    services: Services,
    from_ms: int | None = None,
    to_ms: int | None = None,
) -> schema.Seats:
    """Who the seat numbers in the sound stand for and, for at most ten minutes of the timeline, who spoke when."""
    if from_ms is not None and to_ms is not None and to_ms - from_ms > SPEECH_RANGE_MS_MAX:
        raise Refused("range_too_long", "Ask for at most ten minutes at once.", status=422)
    async with services.database.read() as read:
        space = (await load.visible(read, services, viewer, space_id)).item
        numbers = {row.number: row.account_id for row in await queries.seats_of(read, space_id)}
        account_ids = set(numbers.values())
        people = await load.people(read, services, viewer, account_ids)
        standings = await gate_queries.standings_of(read, account_ids)
    sanctioned = frozenset(
        account_id for account_id, standing in standings.items() if not shown_to_others(standing)
    )
    spoken: list[schema.Speech] = []
    if from_ms is not None and to_ms is not None:
        heard: Sound | None = None
        # Whoever may not hear it is not told who spoke when either; the people are still there.
        with contextlib.suppress(Refused):
            heard = await audible(services, viewer, space_id)
        if heard is not None:
            spoken = await read_tape(partial(_speech, heard, from_ms, to_ms))
    return schema.Seats(space.roster_version, present.seats(numbers, people, sanctioned, services.site), spoken)


def _speech(heard: Sound, from_ms: int, to_ms: int) -> list[schema.Speech]:
    """Who spoke when, as far as it may be heard."""
    try:
        with TapeReader(heard.directory) as reader:
            first_ms, last_ms = heard.bounds(reader)
            turns = reader.speech(max(from_ms, first_ms), min(to_ms, last_ms))
            return [schema.Speech(seat, start, end) for seat, start, end in turns]
    except TapeMissing:
        return []


HANDLERS = [whip_join, whip_leave, get_seats]
