"""Who speaks: somebody with an account's credential, or a program that shows a token of one seat."""

from typing import Any

from litestar import Request
from litestar.di import Provide
from msgspec.structs import replace

from folkmoot.gate import Gate, Refused, Viewer
from folkmoot.gate.model import account_of
from folkmoot.surfaces.http import SURFACE, Declaration, bearer_token, provide_viewer
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.spaces import seat_tokens
from folkmoot.surfaces.spaces.seat_tokens import SeatToken
from folkmoot.surfaces.under_way import hold


async def provide_seat_token(request: Request[Any, Any, Any], services: Services) -> SeatToken | None:
    """The token that the request shows instead of an account's credential, if it does. Raises Refused 401."""
    text = bearer_token(request)
    if text is None or not seat_tokens.is_one(text):
        return None
    return seat_tokens.read(services.ticket_key, text, request.path_params["space_id"], services.clock_ms())


async def provide_speaker(request: Request[Any, Any, Any], gate: Gate, seat_token: SeatToken | None) -> Viewer:
    """As `provide_viewer`; with a token of a seat the account that it was given to, with no stamps but the token's.

    Raises Refused 401 for a token that opens nothing any more, 403 if the account may not do this.
    """
    if seat_token is None:
        return await provide_viewer(request, gate)
    account_id = account_of(seat_token.stamps)
    if account_id is None:
        raise seat_tokens.over()
    async with gate.database.read() as read:
        try:
            await gate.check(read, [*seat_token.stamps, *([seat_token.once] if seat_token.once else [])])
        except Refused as refusal:
            raise seat_tokens.over() from refusal
        viewer = await gate.as_account(read, account_id)
    declaration: Declaration = request.route_handler.opt[SURFACE]
    gate.permit(viewer, declaration.action)
    hold(request, seat_token.stamps)
    return replace(viewer, stamps=seat_token.stamps)


# For routes that a token of a seat opens too: the permit follows from this viewer.
BY_SEAT_TOKEN_TOO = {"seat_token": Provide(provide_seat_token), "viewer": Provide(provide_speaker)}
