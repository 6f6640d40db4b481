"""Who moderates: owners make moderators and owners, and take that back. Mastodon's API has no method for it."""

from typing import Any

import msgspec
import structlog
from litestar import put
from litestar.params import JSONBody

from folkmoot.gate import Action, Permit, Role, Serves
from folkmoot.moderation.members.actions import change_role
from folkmoot.surfaces.http import require_own_pages, serves
from folkmoot.surfaces.mastodon.paging import entity_id
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.session import PATH

log = structlog.get_logger(__name__)


class GiveRole(msgspec.Struct, forbid_unknown_fields=True):
    """What the account may do here from now on."""

    role: Role


@put(
    f"{PATH}/moderation/accounts/{{account_id:str}}/role",
    opt=serves(Serves.MODERATOR, Action.MODERATE, "admin:write:accounts"),
    status_code=204,
)
async def give_role(account_id: str, data: JSONBody[GiveRole], permit: Permit, services: Services) -> None:
    """Give an account a role: by an owner, on this server's own pages. Who loses one is signed out everywhere, and
    the last owner stays one (422)."""
    require_own_pages(permit.viewer)
    id_ = entity_id(account_id, "Account")
    before = await services.gate.act(permit, lambda acting: change_role(acting, id_, data.role))
    log.info("account.role", account=id_, before=before.value, after=data.role.value, by=permit.viewer.id)


HANDLERS: list[Any] = [give_role]
