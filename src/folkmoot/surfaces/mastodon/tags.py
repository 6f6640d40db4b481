"""Mastodon's methods for tags: https://docs.joinmastodon.org/methods/tags/, followed_tags/ and featured_tags/."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.handlers import HTTPRouteHandler

from folkmoot.accounts import queries as accounts
from folkmoot.gate import Acting, Action, Permit, Refused, Serves, Viewer, invalid
from folkmoot.storage.database import Read
from folkmoot.surfaces.http import parse, serves
from folkmoot.surfaces.mastodon.paging import entity_id, link_header, page
from folkmoot.surfaces.mastodon.present_tags import FeaturedTag, Tag, featured, tag
from folkmoot.surfaces.services import Services
from folkmoot.timelines.tags import actions, queries
from folkmoot.timelines.tags.rules import FEATURED_MAX, clean_name

_FEATURED = "/api/v1/featured_tags"
_OWN = serves(Serves.SIGNED_IN, scope="read:accounts")
_FEATURE = serves(Serves.SIGNED_IN, Action.EDIT_PROFILE, "write:accounts")
_Work = Callable[[Acting, str], Awaitable[None]]


class NewFeaturedTag(msgspec.Struct):
    """A tag for one's profile, with or without `#`."""

    name: str = ""


@get("/api/v1/tags/{name:str}", opt=serves(Serves.ANYONE))
async def show_tag(name: str, viewer: Viewer, services: Services) -> Tag:
    """A tag, however it is written: how it was used in the last seven days, and whether one follows it."""
    async with services.database.read() as read:
        return (await shown_tags(read, services, viewer, [clean_name(name)]))[0]


def _choosing(verb: str, work: _Work, action: Action, scope: str, what: str) -> HTTPRouteHandler:
    @post(f"/api/v1/tags/{{name:str}}/{verb}", opt=serves(Serves.SIGNED_IN, action, scope), status_code=200)
    async def handle(name: str, permit: Permit, services: Services) -> Tag:
        folded = clean_name(name)
        await services.gate.act(permit, lambda acting: work(acting, folded))
        async with services.database.read() as read:
            return (await shown_tags(read, services, permit.viewer, [folded]))[0]

    handle.fn.__name__ = f"{verb}_tag"
    handle.fn.__doc__ = f"{what} Returns the tag."
    return handle


_FOLLOWING = (Action.FOLLOW, "write:follows")
_FEATURING = (Action.EDIT_PROFILE, "write:accounts")


@get("/api/v1/followed_tags", opt=serves(Serves.SIGNED_IN, scope="read:follows"))
async def followed_tags(request: Request[Any, Any, Any], viewer: Viewer, services: Services) -> Response[list[Tag]]:
    """The tags that one follows, the last first. The cursors of `Link` are of followings."""
    asked = page(request, limit=100, limit_max=200)
    async with services.database.read() as read:
        found = await queries.followed_by(read, viewer.id, asked)
        shown = await shown_tags(read, services, viewer, [name for _, name in found])
    headers = link_header(request, services.site.base_url, [id_ for id_, _ in found], asked.limit)
    return Response(shown, headers=headers)


@get(_FEATURED, opt=_OWN)
async def own_featured_tags(viewer: Viewer, services: Services) -> list[FeaturedTag]:
    """The tags on one's own profile."""
    async with services.database.read() as read:
        return await _featured(read, services, viewer, viewer.id)


@post(_FEATURED, opt=_FEATURE, status_code=200)
async def add_featured_tag(request: Request[Any, Any, Any], permit: Permit, services: Services) -> FeaturedTag:
    """Show a tag on one's profile, ten at most."""
    asked = await parse(request, NewFeaturedTag)
    try:
        name = clean_name(asked.name)
    except Refused as refusal:
        raise invalid(f"{refusal.sentence}") from refusal
    await services.gate.act(permit, lambda acting: actions.feature(acting, name))
    async with services.database.read() as read:
        shown = await _featured(read, services, permit.viewer, permit.viewer.id)
    return next(one for one in shown if one.name == name)


@delete(f"{_FEATURED}/{{tag_id:str}}", opt=_FEATURE, status_code=200)
async def remove_featured_tag(tag_id: str, permit: Permit, services: Services) -> dict[str, str]:
    """Show a tag on one's profile no longer."""
    await services.gate.act(permit, lambda acting: actions.remove_featured(acting, entity_id(tag_id)))
    return {}


@get(f"{_FEATURED}/suggestions", opt=_OWN)
async def suggested_tags(viewer: Viewer, services: Services) -> list[Tag]:
    """Tags that one uses most, for one's profile."""
    async with services.database.read() as read:
        names = await queries.often_used_by(read, viewer.id, FEATURED_MAX)
        return await shown_tags(read, services, viewer, names)


@get("/api/v1/accounts/{account_id:str}/featured_tags", opt=serves(Serves.ANYONE, scope="read:accounts"))
async def featured_tags_of(account_id: str, viewer: Viewer, services: Services) -> list[FeaturedTag]:
    """The tags on somebody's profile, with how often they used each."""
    async with services.database.read() as read:
        return await _featured(read, services, viewer, entity_id(account_id))


async def shown_tags(read: Read, services: Services, viewer: Viewer, names: Sequence[str]) -> list[Tag]:
    used = await queries.history(read, names)
    followed = featured_ = set[str]()
    if viewer.account_id is not None:
        followed = await queries.followed_among(read, viewer.id, names)
        featured_ = await queries.featured_among(read, viewer.id, names)
    return [
        tag(
            name,
            used.get(name, []),
            services.site,
            read.now_ms,
            following=name in followed if viewer.account_id is not None else None,
            featuring=name in featured_ if viewer.account_id is not None else None,
        )
        for name in names
    ]


async def _featured(read: Read, services: Services, viewer: Viewer, account_id: int) -> list[FeaturedTag]:
    found = await accounts.by_ids(read, [account_id])
    owner = (await services.gate.admit_one(read, viewer, found[0] if found else None, "Record")).item
    shown = await services.gate.admit(read, viewer, await queries.featured_by(read, owner.id))
    url = f"{services.site.base_url}/@{owner.username}/tagged"
    return [featured(one, f"{url}/{quote(one.item.name)}") for one in shown]


HANDLERS: list[Any] = [
    show_tag,
    _choosing("follow", actions.follow, *_FOLLOWING, "Have public posts with a tag in one's home timeline."),
    _choosing("unfollow", actions.unfollow, *_FOLLOWING, "Follow a tag no longer."),
    _choosing("feature", actions.feature, *_FEATURING, "Show a tag on one's profile, ten at most."),
    _choosing("unfeature", actions.unfeature, *_FEATURING, "Show a tag on one's profile no longer."),
    followed_tags,
    own_featured_tags,
    add_featured_tag,
    remove_featured_tag,
    suggested_tags,
    featured_tags_of,
]
