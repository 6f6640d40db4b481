"""What people do with posts: boosts, favourites, bookmarks, pins, conversations they want to hear no more of.

https://docs.joinmastodon.org/methods/statuses/, favourites/ and bookmarks/
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from folkmoot.accounts import queries as accounts
from folkmoot.accounts.model import Page
from folkmoot.accounts.profiles import queries as profiles
from folkmoot.gate import ANONYMOUS, Acting, Action, Permit, Refused, Serves, Viewer, Visible, invalid
from folkmoot.posts import boosts
from folkmoot.posts import queries as posts
from folkmoot.posts.marks import actions, queries
from folkmoot.posts.marks.model import Mark
from folkmoot.posts.model import Post, Visibility
from folkmoot.storage.database import Read
from folkmoot.surfaces.http import parse, serves
from folkmoot.surfaces.mastodon import entities, load_statuses, present
from folkmoot.surfaces.mastodon.filling import filled
from folkmoot.surfaces.mastodon.paging import entity_id, link_header, page
from folkmoot.surfaces.mastodon.status_entities import Status
from folkmoot.surfaces.services import Services

PATH = "/api/v1/statuses/{status_id:str}"
_Work = Callable[[Acting, Visible[Post]], Awaitable[None]]
_Undo = Callable[[Acting, Post], Awaitable[None]]
_Who = Callable[[Read, int, Page], Awaitable[list[tuple[int, int]]]]


class Reblog(msgspec.Struct):
    """Who is to see a boost."""

    visibility: str | None = None


@post(f"{PATH}/reblog", opt=serves(Serves.SIGNED_IN, Action.POST, "write:statuses"), status_code=200)
async def reblog(request: Request[Any, Any, Any], status_id: str, permit: Permit, services: Services) -> Status:
    """Boost a post, for all to see (`visibility`) unless one's posts are for fewer. Returns the boost, with the
    post in `reblog`."""
    asked = await parse(request, Reblog)
    async with services.database.read() as read:
        defaults = await profiles.defaults_of(read, permit.viewer.id)
    try:
        visibility = Visibility(asked.visibility or defaults.privacy)
    except ValueError as error:
        raise invalid("Visibility is public, unlisted or private") from error
    shown = await _shown(services, permit.viewer, status_id)
    made = await services.gate.act(permit, lambda acting: boosts.boost(acting, shown, visibility))
    return await _present(services, permit.viewer, made.id)


@post(f"{PATH}/unreblog", opt=serves(Serves.SIGNED_IN, Action.POST, "write:statuses"), status_code=200)
async def unreblog(status_id: str, permit: Permit, services: Services) -> Status:
    """Boost a post no more. Returns the post."""
    return await _take_back(services, permit, status_id, lambda acting, post: boosts.unboost(acting, post.id))


def _marking(verb: str, action: Action, scope: str, work: _Work, what: str) -> HTTPRouteHandler:
    @post(f"{PATH}/{verb}", opt=serves(Serves.SIGNED_IN, action, scope), status_code=200)
    async def handle(status_id: str, permit: Permit, services: Services) -> Status:
        shown = await _shown(services, permit.viewer, status_id)
        await services.gate.act(permit, lambda acting: work(acting, shown))
        return await _present(services, permit.viewer, shown.item.id)

    return _named(handle, verb, what)


def _unmarking(verb: str, action: Action, scope: str, work: _Undo, what: str) -> HTTPRouteHandler:
    @post(f"{PATH}/{verb}", opt=serves(Serves.SIGNED_IN, action, scope), status_code=200)
    async def handle(status_id: str, permit: Permit, services: Services) -> Status:
        return await _take_back(services, permit, status_id, work)

    return _named(handle, verb, what)


def _named(handle: HTTPRouteHandler, verb: str, what: str) -> HTTPRouteHandler:
    handle.fn.__name__ = f"{verb}_status"
    handle.fn.__doc__ = f"{what} Returns the post."
    return handle


async def _take_back(services: Services, permit: Permit, status_id: str, work: _Undo) -> Status:
    """Undo what one did with a post, also where one may not see it any more: then it is answered as nobody in
    particular sees it. Raises Refused 404 where nobody does; what one did is taken back all the same."""
    async with services.database.read() as read:
        found = await posts.by_id(read, entity_id(status_id))
        if found is not None and found.reblog_of_id is not None:
            found = await posts.by_id(read, found.reblog_of_id)
    if found is None:
        raise Refused("not_found", "Record not found", status=404)
    meant = found
    await services.gate.act(permit, lambda acting: work(acting, meant))
    try:
        return await _present(services, permit.viewer, meant.id)
    except Refused:
        return await _present(services, ANONYMOUS, meant.id)


def _mark(what: Mark) -> _Work:
    return lambda acting, shown: actions.mark(acting, what, shown)


def _unmark(what: Mark) -> _Undo:
    return lambda acting, post: actions.unmark(acting, what, post.id)


async def _unmute(acting: Acting, post: Post) -> None:
    await actions.unmute_conversation(acting, post.conversation_id)


_FAVOURITES, _BOOKMARKS = "write:favourites", "write:bookmarks"
_MARKING = [
    _marking("favourite", Action.MARK, _FAVOURITES, _mark(Mark.FAVOURITE), "Add to one's favourites."),
    _unmarking("unfavourite", Action.MARK, _FAVOURITES, _unmark(Mark.FAVOURITE), "Take out of one's favourites."),
    _marking("bookmark", Action.MARK, _BOOKMARKS, _mark(Mark.BOOKMARK), "Keep, for oneself."),
    _unmarking("unbookmark", Action.MARK, _BOOKMARKS, _unmark(Mark.BOOKMARK), "Keep no longer."),
    _marking("pin", Action.POST, "write:accounts", _mark(Mark.PIN), "Pin to one's profile, five at most."),
    _unmarking("unpin", Action.POST, "write:accounts", _unmark(Mark.PIN), "Take off one's profile."),
    _marking("mute", Action.MARK, "write:mutes", actions.mute_conversation, "Hear no more of a conversation."),
    _unmarking("unmute", Action.MARK, "write:mutes", _unmute, "Hear of a conversation again."),
]


def _marked(path: str, what: Mark, scope: str) -> HTTPRouteHandler:
    @get(path, opt=serves(Serves.SIGNED_IN, scope=scope))
    async def marked(request: Request[Any, Any, Any], viewer: Viewer, services: Services) -> Response[list[Status]]:
        """What one marked, the last first. The cursors of `Link` are of marks, not of posts."""
        asked = page(request, limit=20, limit_max=40)
        mark_ids: dict[int, int] = {}  # by the post's

        async def look(wanted: Page) -> tuple[list[int], list[Status]]:
            found = await queries.marked_by(read, viewer.id, what, wanted)
            mark_ids.update({post_id: id_ for id_, post_id in found})
            kept = await posts.by_ids(read, [post_id for _, post_id in found])
            return [id_ for id_, _ in found], await load_statuses.statuses(read, services, viewer, kept)

        async with services.database.read() as read:
            found = await filled(asked, look, lambda one: mark_ids[int(one.id)], growth=load_statuses.ROUND_GROWTH)
        headers = link_header(request, services.site.base_url, found.read_ids, asked.limit)
        return Response(found.shown, headers=headers)

    return marked


def _people(path: str, who: _Who) -> HTTPRouteHandler:
    @get(path, opt=serves(Serves.ANYONE, scope="read:statuses"))
    async def people(
        request: Request[Any, Any, Any], status_id: str, viewer: Viewer, services: Services
    ) -> Response[list[entities.Account]]:
        """Who did that with a post, the last first."""
        asked = page(request, limit=40, limit_max=80)
        shown = await _shown(services, viewer, status_id)
        async with services.database.read() as read:
            found = await who(read, shown.item.id, asked)
            known = await accounts.by_ids(read, [account_id for _, account_id in found])
            admitted = await services.gate.admit(read, viewer, known)
        headers = link_header(request, services.site.base_url, [id_ for id_, _ in found], asked.limit)
        return Response([present.account(one, services.site) for one in admitted], headers=headers)

    return people


async def _shown(services: Services, viewer: Viewer, status_id: str) -> Visible[Post]:
    """The post that somebody means: of a boost, what it boosts."""
    async with services.database.read() as read:
        found = await posts.by_id(read, entity_id(status_id))
        shown = await services.gate.admit_one(read, viewer, found, "Record")
        if shown.item.reblog_of_id is None:
            return shown
        found = await posts.by_id(read, shown.item.reblog_of_id)
        return await services.gate.admit_one(read, viewer, found, "Record")


async def _present(services: Services, viewer: Viewer, post_id: int) -> Status:
    async with services.database.read() as read:
        found = await load_statuses.status(read, services, viewer, await posts.by_id(read, post_id))
    if found is None:
        raise Refused("not_found", "Record not found.", status=404)
    return found


async def _favourited(read: Read, post_id: int, asked: Page) -> list[tuple[int, int]]:
    return await queries.who_marked(read, post_id, Mark.FAVOURITE, asked)


HANDLERS: list[Any] = [
    reblog,
    unreblog,
    *_MARKING,
    _marked("/api/v1/favourites", Mark.FAVOURITE, "read:favourites"),
    _marked("/api/v1/bookmarks", Mark.BOOKMARK, "read:bookmarks"),
    _people(f"{PATH}/favourited_by", _favourited),
    _people(f"{PATH}/reblogged_by", queries.who_boosted),
]
