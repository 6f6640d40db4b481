"""Mastodon's methods for quotes: https://docs.joinmastodon.org/methods/statuses/#quotes and its neighbours."""

from typing import Any

import msgspec
from litestar import Request, Response, get, post, put

from folkmoot.accounts.model import Page
from folkmoot.gate import Action, Permit, Serves, Viewer
from folkmoot.posts import queries, quotes
from folkmoot.posts.model import Post
from folkmoot.surfaces.http import parse, serves
from folkmoot.surfaces.mastodon import drafts, load_statuses
from folkmoot.surfaces.mastodon.paging import entity_id, link_header, page
from folkmoot.surfaces.mastodon.status_entities import Status
from folkmoot.surfaces.mastodon.statuses import present
from folkmoot.surfaces.services import Services

PATH = "/api/v1/statuses/{status_id:str}"
_WRITE = "write:statuses"


class Policy(msgspec.Struct):
    """Who may quote a post besides its author: public, followers or nobody."""

    quote_approval_policy: str


@put(f"{PATH}/interaction_policy", opt=serves(Serves.SIGNED_IN, Action.POST, _WRITE))
async def set_interaction_policy(
    request: Request[Any, Any, Any], status_id: str, permit: Permit, services: Services
) -> Status:
    """Say who may quote one's own post from now on. Returns the post."""
    asked = await parse(request, Policy)
    policy, id_ = drafts.quote_policy(asked.quote_approval_policy), entity_id(status_id)
    await services.gate.act(permit, lambda acting: quotes.set_policy(acting, id_, policy))
    async with services.database.read() as read:
        return await present(read, services, permit.viewer, await queries.by_id(read, id_))


@get(f"{PATH}/quotes", opt=serves(Serves.ANYONE, scope="read:statuses"))
async def list_quotes(
    request: Request[Any, Any, Any], status_id: str, viewer: Viewer, services: Services
) -> Response[list[Status]]:
    """The posts that quote a post, the last first."""
    asked = page(request, limit=20, limit_max=40)
    async with services.database.read() as read:
        found = await queries.by_id(read, entity_id(status_id))
        shown = (await services.gate.admit_one(read, viewer, found, "Record")).item

        async def fetch(part: Page) -> list[Post]:
            return await quotes.of_post(read, shown.reblog_of_id or shown.id, part)

        listed = await load_statuses.timeline(read, services, viewer, asked, fetch)
    headers = link_header(request, services.site.base_url, listed.read_ids, asked.limit)
    return Response(listed.shown, headers=headers)


@post(
    f"{PATH}/quotes/{{quoting_id:str}}/revoke", opt=serves(Serves.SIGNED_IN, Action.POST, _WRITE), status_code=200
)
async def revoke_quote(status_id: str, quoting_id: str, permit: Permit, services: Services) -> Status:
    """Have a quote of one's own post show it no longer. Returns the post that quoted it."""
    own_id, id_ = entity_id(status_id), entity_id(quoting_id)
    await services.gate.act(permit, lambda acting: quotes.revoke(acting, own_id, id_))
    async with services.database.read() as read:
        return await present(read, services, permit.viewer, await queries.by_id(read, id_))


HANDLERS: list[Any] = [set_interaction_policy, list_quotes, revoke_quote]
