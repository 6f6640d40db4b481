"""Listening by WHEP (draft-ietf-wish-whep): WebRTC straight from the stage, for who needs the lowest delay.

A few may: each costs the stage encryption and a datagram 50 times a second. Everybody else listens at `/listen`.
"""

from litestar import Response, delete, post

from folkmoot.gate import Action, Refused, Serves, Viewer
from folkmoot.spaces.model import SpaceState
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.limits import Limits, client_address
from folkmoot.surfaces.networks import address_of
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.spaces import load
from folkmoot.surfaces.spaces.offers import SDP, ApiRequest, ice_links, read_offer
from folkmoot.surfaces.spaces.spaces import SPACES, listener_stamps

WHEP = SPACES + "/{space_id:int}/whep"


@post(WHEP, opt=serves(Serves.ANYONE, Action.LISTEN, "read:statuses"), status_code=201, media_type=SDP)
async def whep_join(
    space_id: int, viewer: Viewer, services: Services, limits: Limits, request: ApiRequest
) -> Response[str]:
    """Listen with the lowest delay: an SDP offer to receive audio in, the answer out (201). 503 beyond the most."""
    sdp = await read_offer(request)
    address = client_address(request)
    limits.listen(address)
    own = await services.networks.stamps(address_of(request))
    async with services.database.read() as read:
        space = (await load.for_listening(read, services, viewer, space_id)).item
        if space.state is not SpaceState.LIVE:
            raise Refused("not_live", "This Space is not live.", status=409)
        stamps = await listener_stamps(read, services, viewer, space_id)
    answer = await services.stages.listen(space_id, sdp, stamps + own, address)
    headers = {
        "Location": f"{SPACES}/{space_id}/whep/{answer.connection}",
        **ice_links(services.ice_servers(viewer)),
    }
    return Response(answer.sdp, status_code=201, media_type=SDP, headers=headers)


@delete(WHEP + "/{connection:str}", opt=serves(Serves.ANYONE, Action.LISTEN, "read:statuses"), status_code=200)
async def whep_leave(space_id: int, connection: str, viewer: Viewer, services: Services) -> None:
    """Stop listening. The address, which nobody else was told, is the right to it."""
    async with services.database.read() as read:
        await load.visible(read, services, viewer, space_id)
    await services.stages.hang_up_connection(space_id, connection)


HANDLERS = [whep_join, whep_leave]
