"""The sidecar that turns seats into people. (How one gets to speak: whip.py.)"""

import contextlib
from functools import partial

from litestar import get
from litestar.enums import MediaType

from folkmoot.gate import Refused, Serves, Viewer
from folkmoot.gate import queries as gate_queries
from folkmoot.gate.gate import shown_to_others
from folkmoot.recordings.sound import Sound
from folkmoot.spaces import queries
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.spaces import load, present, schema
from folkmoot.surfaces.spaces.replay import audible, read_tape
from folkmoot.surfaces.spaces.spaces import SPACES
from folkmoot.tape.model import TapeMissing
from folkmoot.tape.reader import TapeReader

SPEECH_RANGE_MS_MAX = 600_000


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


HANDLERS = [get_seats]
