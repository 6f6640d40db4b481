"""Mastodon's methods for trends: https://docs.joinmastodon.org/methods/trends/."""

from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, get

from folkmoot.accounts import queries as accounts
from folkmoot.gate import Serves, Viewer
from folkmoot.posts import queries as posts
from folkmoot.storage.database import Read
from folkmoot.storage.ids import time_of
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.mastodon import load_statuses, present_tags
from folkmoot.surfaces.mastodon.paging import number
from folkmoot.surfaces.mastodon.present_tags import DayOfUse, Tag
from folkmoot.surfaces.mastodon.status_entities import PreviewCard, Status
from folkmoot.surfaces.mastodon.trending import Trending, shared
from folkmoot.surfaces.services import Services
from folkmoot.timelines.filters.model import Context
from folkmoot.timelines.tags import model as tag_model
from folkmoot.timelines.tags import queries as tags
from folkmoot.timelines.tags.queries import DAY_MS
from folkmoot.timelines.trends.model import Use

PATH = "/api/v1/trends"
_ANYONE = serves(Serves.ANYONE)
_Request = Request[Any, Any, Any]
Item = TypeVar("Item")


class TrendingLink(PreviewCard, kw_only=True):
    """A link that several people posted, with how much in the last seven days."""

    history: list[DayOfUse]


class _Part(msgspec.Struct, frozen=True):
    """From where on, and how many: the pages of trends go by number, for their order changes."""

    offset: int
    limit: int


@get([PATH, f"{PATH}/tags"], opt=_ANYONE)
async def trending_tags(
    request: _Request, viewer: Viewer, services: Services, trending: Trending
) -> Response[list[Tag]]:
    """Tags that several people use now, the strongest first; 10, and from `offset` on."""
    return await tags_answer(request, viewer, services, trending)


async def tags_answer(
    request: _Request, viewer: Viewer, services: Services, trending: Trending
) -> Response[list[Tag]]:
    """The page of tags that a request asks for."""
    part = _part(request, 10, 20)
    async with services.database.read() as read:
        found = await shared(read, services.gate, (await trending.get(read)).tags)
        names = list(found)[part.offset : part.offset + part.limit]
        used = await tags.history(read, names)
        mine = await tags.followed_among(read, viewer.id, names) if viewer.account_id is not None else set()
    is_known = viewer.account_id is not None
    shown = [
        present_tags.tag(
            name,
            used.get(name, []),
            services.site,
            services.clock_ms(),
            following=name in mine if is_known else None,
        )
        for name in names
    ]
    return _answer(request, services, part, shown)


@get(f"{PATH}/statuses", opt=_ANYONE)
async def trending_statuses(
    request: _Request, viewer: Viewer, services: Services, trending: Trending
) -> Response[list[Status]]:
    """Posts that are boosted and favourited most now, the strongest first; 20, and from `offset` on."""
    return await statuses_answer(request, viewer, services, trending)


async def statuses_answer(
    request: _Request, viewer: Viewer, services: Services, trending: Trending
) -> Response[list[Status]]:
    """The page of posts that a request asks for, as the viewer may see them."""
    part = _part(request, 20, 40)
    async with services.database.read() as read:
        found = await posts.by_ids(read, (await trending.get(read)).post_ids)
        listed = await load_statuses.in_public(read, services, found)
        hidden = await _hidden(read, viewer, {post.account_id for post in listed})
        wanted = [post for post in listed if post.account_id not in hidden]
        on_page = wanted[part.offset : part.offset + part.limit]
        shown = await load_statuses.statuses(read, services, viewer, on_page, Context.PUBLIC)
    return _answer(request, services, part, shown, full=len(on_page) == part.limit)


@get(f"{PATH}/links", opt=_ANYONE)
async def trending_links(
    request: _Request,
    viewer: Viewer,  # noqa: ARG001 (checks the token)
    services: Services,
    trending: Trending,
) -> Response[list[TrendingLink]]:
    """Links that several people posted, the strongest first; 10, and from `offset` on."""
    return await links_answer(request, services, trending)


async def links_answer(request: _Request, services: Services, trending: Trending) -> Response[list[TrendingLink]]:
    """The page of links that a request asks for."""
    part = _part(request, 10, 20)
    async with services.database.read() as read:
        found = await shared(read, services.gate, (await trending.get(read)).links)
    on_page = list(found.items())[part.offset : part.offset + part.limit]
    shown = [_link(url, uses, services.clock_ms()) for url, uses in on_page]
    return _answer(request, services, part, shown)


async def _hidden(read: Read, viewer: Viewer, account_ids: set[int]) -> set[int]:
    if viewer.account_id is None:
        return set()
    return await accounts.hidden_from(read, viewer.id, account_ids)


def _link(url: str, uses: list[Use], now_ms: int) -> TrendingLink:
    """An address that people posted; this server reads no pages, and knows no more of it."""
    place = url.partition("://")[2]
    host = place.partition("/")[0]
    by_day: dict[int, int] = {}
    for use in uses:
        day = time_of(use.post_id) // DAY_MS
        by_day[day] = by_day.get(day, 0) + 1
    used = [tag_model.DayOfUse(day, people, people) for day, people in by_day.items()]
    return TrendingLink(
        url=url,
        title=place,
        description="",
        language=None,
        author_name="",
        author_url="",
        provider_name=host,
        provider_url=f"{url.partition('://')[0]}://{host}",
        history=present_tags.history(used, now_ms),
    )


def _part(request: _Request, limit: int, limit_max: int) -> _Part:
    """Raises Refused 422."""
    wanted = number(request, "limit") or limit
    return _Part(number(request, "offset") or 0, max(1, min(wanted, limit_max)))


def _answer(
    request: _Request, services: Services, part: _Part, shown: list[Item], *, full: bool | None = None
) -> Response[list[Item]]:
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "offset"]

    def address(offset: int) -> str:
        return f"{services.site.base_url}{request.url.path}?{urlencode([*kept, ('offset', str(offset))])}"

    links = []
    if full if full is not None else len(shown) == part.limit:
        links.append(f'<{address(part.offset + part.limit)}>; rel="next"')
    if part.offset > 0:
        links.append(f'<{address(max(0, part.offset - part.limit))}>; rel="prev"')
    return Response(shown, headers={"Link": ", ".join(links)} if links else {})


HANDLERS: list[Any] = [trending_tags, trending_statuses, trending_links]
