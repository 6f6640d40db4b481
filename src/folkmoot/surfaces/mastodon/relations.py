"""What one decides about another: https://docs.joinmastodon.org/methods/accounts/, mutes/, blocks/."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from folkmoot.accounts import queries as accounts
from folkmoot.accounts.model import Page
from folkmoot.accounts.relations import actions, following, queries
from folkmoot.accounts.relations.model import Choices
from folkmoot.gate import Acting, Action, Permit, Refused, Serves, Viewer
from folkmoot.surfaces.http import parse, serves
from folkmoot.surfaces.mastodon import entities, present
from folkmoot.surfaces.mastodon.accounts import PATH, admit
from folkmoot.surfaces.mastodon.paging import entity_id, link_header, page
from folkmoot.surfaces.services import Services

_OF = f"{PATH}/{{account_id:str}}"
_Work = Callable[[Acting, int], Awaitable[None]]


class FollowChoices(msgspec.Struct):
    """What one wants to see of whom one follows."""

    reblogs: bool | None = None
    notify: bool | None = None
    languages: list[str] | None = None


class Mute(msgspec.Struct):
    """How one mutes."""

    notifications: bool = True
    duration: int = 0  # seconds; 0: without end


class Note(msgspec.Struct):
    """What one notes."""

    comment: str = ""


@post(f"{_OF}/follow", opt=serves(Serves.SIGNED_IN, Action.FOLLOW, "write:follows"), status_code=200)
async def follow(
    request: Request[Any, Any, Any], account_id: str, permit: Permit, services: Services
) -> entities.Relationship:
    """Follow an account, or ask to if it is locked: with its boosts or not (`reblogs`), in some `languages` only,
    told of each new post (`notify`). Who follows already changes these."""
    asked = await parse(request, FollowChoices)
    languages = None if asked.languages is None else tuple(one for one in asked.languages if one)
    choices = Choices(asked.reblogs, asked.notify, languages)
    async with services.database.read() as read:
        target = (await admit(services, read, permit.viewer, account_id)).item.id
    await services.gate.act(permit, lambda acting: following.follow(acting, target, choices))
    return await relationship(services, permit.viewer, target)


@post(f"{_OF}/mute", opt=serves(Serves.SIGNED_IN, Action.BLOCK, "write:mutes"), status_code=200)
async def mute(
    request: Request[Any, Any, Any], account_id: str, permit: Permit, services: Services
) -> entities.Relationship:
    """See no more of an account in timelines, and with `notifications` (as without a word) there; for `duration`
    seconds, or without end. It is not told."""
    asked = await parse(request, Mute)
    target = entity_id(account_id)
    await services.gate.act(
        permit,
        lambda acting: actions.mute(acting, target, notifications=asked.notifications, duration_s=asked.duration),
    )
    return await relationship(services, permit.viewer, target)


@post(f"{_OF}/note", opt=serves(Serves.SIGNED_IN, Action.EDIT_PROFILE, "write:accounts"), status_code=200)
async def note(
    request: Request[Any, Any, Any], account_id: str, permit: Permit, services: Services
) -> entities.Relationship:
    """Note something about an account (`comment`), for oneself."""
    asked = await parse(request, Note)
    target = entity_id(account_id)
    await services.gate.act(permit, lambda acting: actions.take_note(acting, target, asked.comment))
    return await relationship(services, permit.viewer, target)


def _deciding(verb: str, action: Action, scope: str, work: _Work, what: str) -> HTTPRouteHandler:
    @post(f"{_OF}/{verb}", opt=serves(Serves.SIGNED_IN, action, scope), status_code=200)
    async def handle(account_id: str, permit: Permit, services: Services) -> entities.Relationship:
        target = entity_id(account_id)
        await services.gate.act(permit, lambda acting: work(acting, target))
        return await relationship(services, permit.viewer, target)

    handle.fn.__name__ = f"{verb}_account"
    handle.fn.__doc__ = what
    return handle


_RECOMMEND = "Recommend on one's profile an account that one follows."
_DECIDING = [
    _deciding(
        "unfollow", Action.FOLLOW, "write:follows", following.unfollow,
        "No longer follow an account, nor ask to.",
    ),
    _deciding(
        "remove_from_followers", Action.FOLLOW, "write:follows", following.remove_follower,
        "Have an account no longer follow one. It is not told.",
    ),
    _deciding(
        "block", Action.BLOCK, "write:blocks", actions.block,
        "Block an account: neither sees what the other writes any more; one still sees whom one blocks. "
        "Works also where the other has blocked first.",
    ),
    _deciding(
        "unblock", Action.BLOCK, "write:blocks", actions.unblock,
        "No longer block an account. Follows that the block ended do not come back.",
    ),
    _deciding("unmute", Action.BLOCK, "write:mutes", actions.unmute, "No longer mute an account."),
    _deciding("endorse", Action.EDIT_PROFILE, "write:accounts", actions.endorse, _RECOMMEND),
    _deciding(
        "unendorse", Action.EDIT_PROFILE, "write:accounts", actions.withdraw_endorsement, "Recommend it no more."
    ),
    _deciding("pin", Action.EDIT_PROFILE, "write:accounts", actions.endorse, f"{_RECOMMEND} For older clients."),
    _deciding(
        "unpin", Action.EDIT_PROFILE, "write:accounts", actions.withdraw_endorsement,
        "Recommend it no more. For older clients.",
    ),
]  # fmt: skip


@get("/api/v1/mutes", opt=serves(Serves.SIGNED_IN, scope="read:mutes"))
async def mutes(
    request: Request[Any, Any, Any], viewer: Viewer, services: Services
) -> Response[list[entities.MutedAccount]]:
    """Whom one mutes, and until when."""
    asked = _page(request)
    async with services.database.read() as read:
        muted = dict(await queries.muted(read, viewer.id, asked))
        admitted = await services.gate.admit_blocked(read, viewer, await accounts.by_ids(read, list(muted)))
    return Response(
        [present.muted_account(one, services.site, muted[one.item.id]) for one in admitted],
        headers=link_header(request, services.site.base_url, list(muted), asked.limit),
    )


@get("/api/v1/blocks", opt=serves(Serves.SIGNED_IN, scope="read:blocks"))
async def blocks(
    request: Request[Any, Any, Any], viewer: Viewer, services: Services
) -> Response[list[entities.Account]]:
    """Whom one blocks."""
    asked = _page(request)
    async with services.database.read() as read:
        ids = await queries.blocked_ids(read, viewer.id, asked)
        admitted = await services.gate.admit_blocked(read, viewer, await accounts.by_ids(read, ids))
    return Response(
        [present.account(one, services.site) for one in admitted],
        headers=link_header(request, services.site.base_url, ids, asked.limit),
    )


@get("/api/v1/endorsements", opt=serves(Serves.SIGNED_IN, scope="read:accounts"))
async def endorsements(
    request: Request[Any, Any, Any], viewer: Viewer, services: Services
) -> Response[list[entities.Account]]:
    """Whom one recommends on one's profile."""
    asked = _page(request)
    async with services.database.read() as read:
        ids = await queries.endorsed_ids(read, viewer.id, asked)
        admitted = await services.gate.admit(read, viewer, await accounts.by_ids(read, ids))
    return Response(
        [present.account(one, services.site) for one in admitted],
        headers=link_header(request, services.site.base_url, ids, asked.limit),
    )


async def relationship(services: Services, viewer: Viewer, account_id: int) -> entities.Relationship:
    """How the viewer now stands to an account. Raises Refused 404 where there is none."""
    async with services.database.read() as read:
        found = await queries.relationships(read, viewer.id, [account_id], with_suspended=True)
    if not found:
        raise Refused("not_found", "Record not found", status=404)
    return present.relationship(found[0])


def _page(request: Request[Any, Any, Any]) -> Page:
    return page(request, limit=40, limit_max=80)


HANDLERS: list[Any] = [follow, mute, note, *_DECIDING, mutes, blocks, endorsements]
