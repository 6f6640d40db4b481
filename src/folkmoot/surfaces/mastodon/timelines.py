"""Mastodon's timelines, and an account's own: https://docs.joinmastodon.org/methods/timelines/."""

from typing import Any

from litestar import Request, Response, get

from folkmoot.accounts import queries as accounts
from folkmoot.accounts.model import Page
from folkmoot.gate import Serves, Viewer
from folkmoot.posts.model import Post
from folkmoot.storage.database import Read
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.mastodon.load_statuses import Fetch, timeline
from folkmoot.surfaces.mastodon.paging import entity_id, link_header, page
from folkmoot.surfaces.mastodon.status_entities import Status
from folkmoot.surfaces.services import Services
from folkmoot.timelines import queries

LIMIT, LIMIT_MAX = 20, 40
_READ = "read:statuses"
_TRUE = frozenset({"1", "t", "true", "on", "yes"})


@get("/api/v1/timelines/home", opt=serves(Serves.SIGNED_IN, scope=_READ))
async def home(request: Request[Any, Any, Any], viewer: Viewer, services: Services) -> Response[list[Status]]:
    """One's own posts and those of whom one follows."""

    async def fetch(asked: Page) -> list[Post]:
        return await queries.home(read, viewer.id, asked)

    async with services.database.read() as read:
        return await _answer(read, request, services, viewer, fetch)


@get("/api/v1/timelines/public", opt=serves(Serves.ANYONE, scope=_READ))
async def public(request: Request[Any, Any, Any], viewer: Viewer, services: Services) -> Response[list[Status]]:
    """What was posted to everybody. There are no other servers yet: `local` is all of it, `remote` nothing."""

    async def fetch(asked: Page) -> list[Post]:
        if _says(request, "remote"):
            return []
        return await queries.public(read, asked, only_media=_says(request, "only_media"))

    async with services.database.read() as read:
        return await _answer(read, request, services, viewer, fetch, public=True)


@get("/api/v1/accounts/{account_id:str}/statuses", opt=serves(Serves.ANYONE, scope=_READ))
async def of_account(
    request: Request[Any, Any, Any], account_id: str, viewer: Viewer, services: Services
) -> Response[list[Status]]:
    """An account's posts and boosts, as far as the viewer may see them."""

    async def fetch(asked: Page) -> list[Post]:
        return await queries.of_account(
            read,
            whose,
            asked,
            only_media=_says(request, "only_media"),
            exclude_replies=_says(request, "exclude_replies"),
            exclude_reblogs=_says(request, "exclude_reblogs"),
            pinned=_says(request, "pinned"),
        )

    async with services.database.read() as read:
        found = await accounts.by_ids(read, [entity_id(account_id)])
        whose = (await services.gate.admit_one(read, viewer, found[0] if found else None, "Record")).item.id
        return await _answer(read, request, services, viewer, fetch)


async def _answer(
    read: Read,
    request: Request[Any, Any, Any],
    services: Services,
    viewer: Viewer,
    fetch: Fetch,
    *,
    public: bool = False,
) -> Response[list[Status]]:
    asked = page(request, limit=LIMIT, limit_max=LIMIT_MAX)
    found = await timeline(read, services, viewer, asked, fetch, public=public)
    headers = link_header(request, services.site.base_url, found.read_ids, asked.limit)
    return Response(found.statuses, headers=headers)


def _says(request: Request[Any, Any, Any], name: str) -> bool:
    return request.query_params.get(name, "").lower() in _TRUE


HANDLERS: list[Any] = [home, public, of_account]
