"""Links that an owner hands to somebody who can't get in; the command line makes the same."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import msgspec
import structlog
from litestar import Response, post
from litestar.params import JSONBody

from folkmoot.accounts import actions, letters
from folkmoot.accounts.second_factor import actions as factors
from folkmoot.gate import Acting, Action, Gate, Permit, Refused, Role, Serves
from folkmoot.surfaces.http import require_own_pages, serves
from folkmoot.surfaces.mastodon.paging import entity_id
from folkmoot.surfaces.security import NO_STORE
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.session import PATH

log = structlog.get_logger(__name__)
LinkKind = Literal["password", "email", "second_factor"]


class MakeLink(msgspec.Struct):
    """`password`: sets a new one, and unlocks; `email`: confirms the address given last; `second_factor`: takes
    lost ones away, with the password."""

    kind: LinkKind


class MadeLink(msgspec.Struct):
    """Shown this once. It works once: within a day, one for an address within a week."""

    url: str


async def _confirmation(acting: Acting, account_id: int) -> str:
    made = await letters.make_confirmation(acting, account_id)
    if made is None:
        raise Refused("nothing_to_confirm", "This account gave no address that is to be confirmed.", status=422)
    return made[1]


_MAKERS: dict[LinkKind, tuple[str, Callable[[Acting, int], Awaitable[str]]]] = {
    "password": ("password", actions.make_password_link),
    "email": ("confirm-email", _confirmation),
    "second_factor": ("second-factor", factors.make_off_link),
}


@post(
    f"{PATH}/moderation/accounts/{{account_id:str}}/links",
    opt=serves(Serves.MODERATOR, Action.MODERATE, "admin:write:accounts"),
    status_code=200,
)
async def make_link(
    account_id: str, data: JSONBody[MakeLink], permit: Permit, services: Services, gate: Gate
) -> Response[MadeLink]:
    """A link for somebody who can't get in: by an owner, on this server's own pages. It is logged, and the person
    is written to."""
    require_own_pages(permit.viewer)
    if permit.viewer.role is not Role.OWNER:
        raise Refused("owners_only", "Only an owner hands out such links: they open an account.")
    id_ = entity_id(account_id, "Account")
    page, make = _MAKERS[data.kind]

    async def made(acting: Acting) -> str:
        secret = await make(acting, id_)
        if data.kind != "email":
            await letters.tell(acting, services.outbox, id_, "link_made")
        return secret

    secret = await gate.act(permit, made)
    log.info("account.link_made", account=id_, kind=data.kind, by=permit.viewer.id)
    return Response(MadeLink(f"{services.site.base_url}/{page}?secret={secret}"), headers=NO_STORE)


HANDLERS: list[Any] = [make_link]
