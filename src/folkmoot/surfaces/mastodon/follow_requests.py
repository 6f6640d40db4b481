"""Who asks to follow one: https://docs.joinmastodon.org/methods/follow_requests/."""

from typing import Any

from litestar import Request, Response, get, post

from folkmoot.accounts import queries as accounts
from folkmoot.accounts.relations import following, queries
from folkmoot.gate import Action, Permit, Serves, Viewer
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.mastodon import entities, present
from folkmoot.surfaces.mastodon.paging import entity_id, link_header, page
from folkmoot.surfaces.mastodon.relations import relationship
from folkmoot.surfaces.services import Services

PATH = "/api/v1/follow_requests"
_ANSWER = serves(Serves.SIGNED_IN, Action.FOLLOW, "write:follows")


@get(PATH, opt=serves(Serves.SIGNED_IN, scope="read:follows"))
async def follow_requests(
    request: Request[Any, Any, Any], viewer: Viewer, services: Services
) -> Response[list[entities.Account]]:
    """Who asks to follow one, in pages of 40 (80 at most)."""
    asked = page(request, limit=40, limit_max=80)
    async with services.database.read() as read:
        ids = await queries.asking_ids(read, viewer.id, asked)
        admitted = await services.gate.admit(read, viewer, await accounts.by_ids(read, ids))
    return Response(
        [present.account(one, services.site) for one in admitted],
        headers=link_header(request, services.site.base_url, ids, asked.limit),
    )


@post(f"{PATH}/{{account_id:str}}/authorize", opt=_ANSWER, status_code=200)
async def authorize(account_id: str, permit: Permit, services: Services) -> entities.Relationship:
    """Let somebody follow one who asked."""
    asking = entity_id(account_id)
    await services.gate.act(permit, lambda acting: following.authorize(acting, asking))
    return await relationship(services, permit.viewer, asking)


@post(f"{PATH}/{{account_id:str}}/reject", opt=_ANSWER, status_code=200)
async def reject(account_id: str, permit: Permit, services: Services) -> entities.Relationship:
    """Don't let somebody follow one who asked. They are not told, and can ask again."""
    asking = entity_id(account_id)
    await services.gate.act(permit, lambda acting: following.reject(acting, asking))
    return await relationship(services, permit.viewer, asking)


HANDLERS: list[Any] = [follow_requests, authorize, reject]
