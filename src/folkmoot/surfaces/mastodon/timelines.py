"""Mastodon's timelines, and an account's own: https://docs.joinmastodon.org/methods/timelines/."""

from typing import Any

from litestar import Request, Response, get

from folkmoot.accounts import queries as accounts
from folkmoot.accounts.model import Page
from folkmoot.accounts.paging import ids_of_page
from folkmoot.gate import Refused, Serves, Viewer
from folkmoot.posts import queries as posts
from folkmoot.posts.model import Post
from folkmoot.posts.text import folded_tag
from folkmoot.storage.database import Read
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.mastodon.accounts import admit_blocked
from folkmoot.surfaces.mastodon.load_statuses import Fetch, timeline
from folkmoot.surfaces.mastodon.paging import entity_id, link_header, page, says
from folkmoot.surfaces.mastodon.status_entities import Status
from folkmoot.surfaces.mastodon.trending import Trending, shared
from folkmoot.surfaces.services import Services
from folkmoot.timelines import merged, queries
from folkmoot.timelines.filters.model import Context
from folkmoot.timelines.lists import queries as lists
from folkmoot.timelines.queries import Tagged

LIMIT, LIMIT_MAX = 20, 40
TAGS_PER_MODE_MAX = 4
_READ = "read:statuses"
_Request = Request[Any, Any, Any]


@get("/api/v1/timelines/home", opt=serves(Serves.SIGNED_IN, scope=_READ))
async def home(request: _Request, viewer: Viewer, services: Services) -> Response[list[Status]]:
    """One's own posts, those of whom one follows, and public ones with tags that one follows."""

    async def fetch(asked: Page) -> list[Post]:
        return await merged.home(read, viewer.id, asked)

    async with services.database.read() as read:
        return await _answer(read, request, services, viewer, fetch, Context.HOME)


@get("/api/v1/timelines/list/{list_id:str}", opt=serves(Serves.SIGNED_IN, scope="read:lists"))
async def of_list(request: _Request, list_id: str, viewer: Viewer, services: Services) -> Response[list[Status]]:
    """The posts of those in one of one's lists, with the replies that its `replies_policy` says."""

    async def fetch(asked: Page) -> list[Post]:
        assert found is not None
        return await merged.of_list(read, found, asked)

    async with services.database.read() as read:
        found = await lists.by_id(read, viewer.id, entity_id(list_id))
        if found is None:
            raise Refused("not_found", "Record not found", status=404)
        return await _answer(read, request, services, viewer, fetch, Context.HOME)


@get("/api/v1/timelines/public", opt=serves(Serves.ANYONE, scope=_READ))
async def public(request: _Request, viewer: Viewer, services: Services) -> Response[list[Status]]:
    """What was posted to everybody. There are no other servers yet: `local` is all of it, `remote` nothing."""

    async def fetch(asked: Page) -> list[Post]:
        if says(request, "remote"):
            return []
        return await queries.public(
            read, asked, viewer_id=viewer.account_id, only_media=says(request, "only_media")
        )

    async with services.database.read() as read:
        return await _answer(read, request, services, viewer, fetch, Context.PUBLIC, public=True)


@get("/api/v1/timelines/tag/{tag:str}", opt=serves(Serves.ANYONE, scope=_READ))
async def of_tag(request: _Request, tag: str, viewer: Viewer, services: Services) -> Response[list[Status]]:
    """Public posts with a tag, however it is written; or with any of `any[]`, and then all of `all[]` and none of
    `none[]`. `local` is all of it, `remote` nothing."""
    asked_for = Tagged((folded_tag(tag), *_tags(request, "any")), _tags(request, "all"), _tags(request, "none"))

    async def fetch(asked: Page) -> list[Post]:
        if says(request, "remote"):
            return []
        return await queries.tagged(
            read, asked_for, asked, viewer_id=viewer.account_id, only_media=says(request, "only_media")
        )

    async with services.database.read() as read:
        return await _answer(read, request, services, viewer, fetch, Context.PUBLIC, public=True)


@get("/api/v1/timelines/link", opt=serves(Serves.ANYONE, scope=_READ))
async def of_link(
    request: _Request, viewer: Viewer, services: Services, trending: Trending
) -> Response[list[Status]]:
    """Public posts with a link (`url`) that is a trend now: of each who posted it the newest. 404 for others."""
    url = request.query_params.get("url", "")

    async def fetch(asked: Page) -> list[Post]:
        return await posts.by_ids(read, ids_of_page(ids, asked))

    async with services.database.read() as read:
        candidates = (await trending.get(read)).links
        uses = (await shared(read, services.gate, {url: candidates.get(url, ())})).get(url)
        if uses is None:
            raise Refused("not_found", "Record not found", status=404)
        people = {use.account_id for use in uses}
        hidden = set() if viewer.account_id is None else await accounts.hidden_from(read, viewer.id, people)
        ids = [use.post_id for use in uses if use.account_id not in hidden]
        return await _answer(read, request, services, viewer, fetch, Context.PUBLIC, public=True)


@get("/api/v1/accounts/{account_id:str}/statuses", opt=serves(Serves.ANYONE, scope=_READ))
async def of_account(
    request: _Request, account_id: str, viewer: Viewer, services: Services
) -> Response[list[Status]]:
    """An account's posts and boosts, as far as the viewer may see them; `tagged`: those with a tag. None of whom
    one blocks."""
    with_tag = request.query_params.get("tagged")

    async def fetch(asked: Page) -> list[Post]:
        return await queries.of_account(
            read,
            whose,
            asked,
            only_media=says(request, "only_media"),
            exclude_replies=says(request, "exclude_replies"),
            exclude_reblogs=says(request, "exclude_reblogs"),
            pinned=says(request, "pinned"),
            with_tag=folded_tag(with_tag) if with_tag else None,
        )

    async with services.database.read() as read:
        found = await accounts.by_ids(read, [entity_id(account_id)])
        owner = found[0] if found else None
        try:
            whose = (await services.gate.admit_one(read, viewer, owner, "Record")).item.id
        except Refused:
            if await admit_blocked(services, read, viewer, owner) is None:
                raise
            return Response([])
        return await _answer(read, request, services, viewer, fetch, Context.ACCOUNT)


def _tags(request: _Request, name: str) -> list[str]:
    """Further tags of a list in the query, folded."""
    given = [value for key, value in request.query_params.multi_items() if key in (name, f"{name}[]") and value]
    return [folded_tag(value.removeprefix("#")) for value in given[:TAGS_PER_MODE_MAX]]


async def _answer(
    read: Read,
    request: _Request,
    services: Services,
    viewer: Viewer,
    fetch: Fetch,
    context: Context,
    *,
    public: bool = False,
) -> Response[list[Status]]:
    asked = page(request, limit=LIMIT, limit_max=LIMIT_MAX)
    found = await timeline(read, services, viewer, asked, fetch, context, public=public)
    headers = link_header(request, services.site.base_url, found.read_ids, asked.limit)
    return Response(found.shown, headers=headers)


HANDLERS: list[Any] = [home, of_list, public, of_tag, of_link, of_account]
