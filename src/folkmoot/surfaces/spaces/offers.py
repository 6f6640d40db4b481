"""What WHIP and WHEP share: reading an SDP offer, and the headers around its answer (RFC 9725, 4.6)."""

from collections.abc import Sequence
from typing import Any

from litestar import Request
from litestar.datastructures import MutableScopeHeaders, State
from litestar.enums import ScopeType
from litestar.types import Message, Scope

from folkmoot.gate import Refused
from folkmoot.stage.ice_servers import IceServer

SDP = "application/sdp"
OFFER_BYTES_MAX = 64 * 1024
ApiRequest = Request[Any, Any, State]


async def read_offer(request: ApiRequest) -> str:
    """The SDP offer in the body. Raises Refused: 415 for another type, 413 for too much, 422 for no text."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != SDP:
        raise Refused("not_sdp", f"Send the offer as {SDP}.", status=415, headers={"Accept-Post": SDP})
    offer = await request.body()
    if len(offer) > OFFER_BYTES_MAX:
        raise Refused("offer_too_large", "This offer is too large to be one.", status=413)
    try:
        return offer.decode()
    except UnicodeDecodeError as error:
        raise Refused("offer_refused", "This offer is not text.", status=422) from error


def ice_links(servers: Sequence[IceServer]) -> dict[str, str]:
    """STUN and TURN servers as a `Link` header."""
    links = [_ice_link(server) for server in servers]
    return {"Link": ", ".join(links)} if links else {}


def _ice_link(server: IceServer) -> str:
    link = f'<{server.url}>; rel="ice-server"'
    if server.username is None or server.credential is None:
        return link
    return (
        f'{link}; username="{_quoted(server.username)}"; credential="{_quoted(server.credential)}"'
        '; credential-type="password"'
    )


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


async def say_what_is_taken(message: Message, scope: Scope) -> None:
    """`Accept-Post` in the answer to OPTIONS, which is otherwise Litestar's own."""
    if message["type"] != "http.response.start" or scope["type"] != ScopeType.HTTP:
        return
    if scope["method"] == "OPTIONS" and scope["path"].endswith(("/whip", "/whep")):
        MutableScopeHeaders.from_message(message)["Accept-Post"] = SDP
