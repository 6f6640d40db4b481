"""Search for accounts, posts and tags: https://docs.joinmastodon.org/methods/search/."""

import re
from typing import Any, Literal, get_args

import msgspec
from litestar import Request, Response, get

from folkmoot.accounts.model import Page
from folkmoot.gate import Refused, Serves, Viewer, invalid
from folkmoot.posts import queries as posts
from folkmoot.posts.model import Post
from folkmoot.search import queries
from folkmoot.search.model import Query
from folkmoot.search.parsing import parsed
from folkmoot.spaces import queries as spaces
from folkmoot.storage.database import Read
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.mastodon import discovery, entities, load_statuses, present
from folkmoot.surfaces.mastodon.discovery import OFFSET_MAX
from folkmoot.surfaces.mastodon.paging import number, page, possible_id, says
from folkmoot.surfaces.mastodon.present_tags import Tag
from folkmoot.surfaces.mastodon.status_entities import Status
from folkmoot.surfaces.mastodon.tags import shown_tags
from folkmoot.surfaces.services import Services, Site

LIMIT, LIMIT_MAX = 20, 40
Kind = Literal["accounts", "hashtags", "statuses"]
# Where a post is, and where a Space is, which its announcement stands for.
_STATUS = re.compile(r"/(?:@[\w.-]+|users/[\w.-]+/statuses)/(\d+)/?")
_SPACE = re.compile(r"/spaces/(\d+)/?")


class Search(msgspec.Struct, kw_only=True):
    """What was found of each kind, the best first."""

    accounts: list[entities.Account] = []
    statuses: list[Status] = []
    hashtags: list[Tag] = []


class _Asked(msgspec.Struct, frozen=True):
    text: str
    kinds: frozenset[str]
    page: Page
    offset: int
    account_id: int | None
    following: bool


@get("/api/v2/search", opt=serves(Serves.ANYONE, scope="read:search"))
async def search(request: Request[Any, Any, Any], viewer: Viewer, services: Services) -> Response[Search]:
    """Accounts by their names, tags by their beginning, posts by their words, as far as the viewer may see them;
    the address of something here finds just that. `resolve` looks no further: there are no other servers yet.
    Posts, pages (`offset`) and `resolve` are for who is signed in."""
    asked = _asked(request, viewer)
    async with services.database.read() as read:
        found = await _at_address(read, services, viewer, asked)
        if found is None:
            found = await _search(read, services, viewer, asked)
    return Response(found)


def _asked(request: Request[Any, Any, Any], viewer: Viewer) -> _Asked:
    """Raises Refused: 422 for what can't be asked, 401 for what strangers can't."""
    text = request.query_params.get("q", "").strip()
    kind = request.query_params.get("type") or None
    offset = number(request, "offset") or 0
    if not text:
        raise invalid("q says what to search for")
    if kind is not None and kind not in get_args(Kind):
        raise invalid("type is accounts, hashtags or statuses")
    if offset > OFFSET_MAX:
        raise invalid(f"offset is at most {OFFSET_MAX}")
    if viewer.account_id is None and (offset or says(request, "resolve")):
        raise Refused("sign_in_first", "Search queries that resolve or go on need a signed-in account.", status=401)
    return _Asked(
        text=text,
        kinds=frozenset({kind} if kind is not None else get_args(Kind)),
        page=page(request, limit=LIMIT, limit_max=LIMIT_MAX),
        # Clients go on in one list; without a kind it would be three.
        offset=offset if kind is not None else 0,
        account_id=number(request, "account_id"),
        following=says(request, "following"),
    )


async def _search(read: Read, services: Services, viewer: Viewer, asked: _Asked) -> Search:
    found = Search()
    limit = asked.page.limit
    if "accounts" in asked.kinds and asked.account_id is None:
        people = await discovery.find(
            read, services, viewer, asked.text, limit=limit, offset=asked.offset, following=asked.following
        )
        found.accounts = [present.account(one, services.site) for one in people]
    if "hashtags" in asked.kinds and asked.account_id is None:
        listed = await services.gate.listed(read, await queries.tags(read, asked.text))
        names = list(dict.fromkeys(one.name for one in listed))[asked.offset : asked.offset + limit]
        found.hashtags = await shown_tags(read, services, viewer, names)
    if "statuses" in asked.kinds and viewer.account_id is not None:
        found.statuses = await _statuses(read, services, viewer, parsed(asked.text), asked)
    return found


async def _statuses(read: Read, services: Services, viewer: Viewer, query: Query, asked: _Asked) -> list[Status]:
    async def fetch(wanted: Page) -> list[Post]:
        # Read on behind what the gate left out, the next ones follow by their ids.
        offset = asked.offset if (wanted.max_id, wanted.min_id) == (asked.page.max_id, asked.page.min_id) else 0
        return await queries.statuses(read, viewer.id, query, wanted, offset=offset, account_id=asked.account_id)

    return (await load_statuses.timeline(read, services, viewer, asked.page, fetch)).shown


async def _at_address(read: Read, services: Services, viewer: Viewer, asked: _Asked) -> Search | None:
    """What is at an address of this server. None for what is no address of a post or a Space here."""
    path = _path_here(asked.text, services.site)
    is_status = _STATUS.fullmatch(path)
    is_space = _SPACE.fullmatch(path)
    if is_status is not None:
        post = await posts.by_id(read, possible_id(is_status[1]) or 0)
    elif is_space is not None:
        space = await spaces.by_id(read, possible_id(is_space[1]) or 0)
        post = (
            await posts.by_id(read, space.announcement_post_id)
            if space is not None and space.announcement_post_id is not None
            else None
        )
    else:
        return None
    shown = await load_statuses.status(read, services, viewer, post) if "statuses" in asked.kinds else None
    return Search(statuses=[shown] if shown is not None else [])


def _path_here(text: str, site: Site) -> str:
    """The path of an address of this server, empty for anything else."""
    if not text.startswith(f"{site.base_url}/"):
        return ""
    return text.removeprefix(site.base_url).partition("?")[0].partition("#")[0]


HANDLERS: list[Any] = [search]
