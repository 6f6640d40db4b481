"""Mastodon's methods for accounts: https://docs.joinmastodon.org/methods/accounts/."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar import Request, Response, get, patch, post

from folkmoot.accounts import actions, queries
from folkmoot.accounts.model import Account, Page
from folkmoot.accounts.oauth.rules import covers
from folkmoot.accounts.relations import actions as deciding
from folkmoot.accounts.relations import following as following_
from folkmoot.accounts.relations import queries as relations
from folkmoot.gate import Action, Gate, Permit, Refused, Serves, Viewer, Visible
from folkmoot.storage.database import Read
from folkmoot.surfaces.http import parse, serves
from folkmoot.surfaces.mastodon import entities, present
from folkmoot.surfaces.mastodon.paging import entity_id, link_header, page, possible_id
from folkmoot.surfaces.services import Services

_IdsOf = Callable[[Read, int, Page], Awaitable[list[int]]]
PATH = "/api/v1/accounts"
RELATIONSHIPS_MAX = 100
_FOLLOW = serves(Serves.SIGNED_IN, Action.FOLLOW, "write:follows")
_BLOCK = serves(Serves.SIGNED_IN, Action.BLOCK, "write:blocks")


class UpdateCredentials(msgspec.Struct):
    """What a profile can hold; other fields that clients send are left alone."""

    display_name: str | None = None
    note: str | None = None
    avatar: Any = None
    header: Any = None


@get(f"{PATH}/verify_credentials", opt=serves(Serves.SIGNED_IN))
async def verify_credentials(viewer: Viewer, services: Services) -> entities.CredentialAccount:
    """One's own account. The scopes `read`, `read:accounts` and `profile` all open it."""
    if not covers(viewer.scopes, "read:accounts") and not covers(viewer.scopes, "profile"):
        raise Refused("insufficient_scope", "This action is outside the authorized scopes")
    return await _own(services, viewer)


@patch(f"{PATH}/update_credentials", opt=serves(Serves.SIGNED_IN, Action.EDIT_PROFILE, "write:accounts"))
async def update_credentials(
    request: Request[Any, Any, Any], permit: Permit, services: Services, gate: Gate
) -> entities.CredentialAccount:
    """Change one's display name and text."""
    asked = await parse(request, UpdateCredentials)
    if asked.avatar or asked.header:
        raise Refused("validation_failed", "This server takes no profile pictures yet.", status=422)
    await gate.act(
        permit,
        lambda acting: actions.update_profile(acting, display_name=asked.display_name, note=asked.note),
    )
    return await _own(services, permit.viewer)


@get(f"{PATH}/lookup", opt=serves(Serves.ANYONE, scope="read:accounts"))
async def lookup(request: Request[Any, Any, Any], viewer: Viewer, services: Services) -> entities.Account:
    """An account by `acct`: "name" or "name@this-server"."""
    name, _, domain = request.query_params.get("acct", "").removeprefix("@").partition("@")
    async with services.database.read() as read:
        found = None
        if domain.lower() in ("", services.site.domain.lower()):
            found = await queries.by_username(read, name)
        else:
            await services.gate.contact(read, domain)
        return present.account(await services.gate.admit_one(read, viewer, found, "Record"), services.site)


@get(f"{PATH}/relationships", opt=serves(Serves.SIGNED_IN, scope="read:follows"))
async def relationships(
    request: Request[Any, Any, Any], viewer: Viewer, services: Services
) -> list[entities.Relationship]:
    """How one stands to each of `id[]`."""
    asked = [value for name, value in request.query_params.multi_items() if name in ("id[]", "id")]
    ids = [id_ for text in asked[:RELATIONSHIPS_MAX] if (id_ := possible_id(text)) is not None]
    async with services.database.read() as read:
        found = await relations.relationships(read, viewer.id, ids)
    return [present.relationship(item) for item in found]


@get(f"{PATH}/{{account_id:str}}", opt=serves(Serves.ANYONE, scope="read:accounts"))
async def show(account_id: str, viewer: Viewer, services: Services) -> entities.Account:
    """An account by id."""
    async with services.database.read() as read:
        return present.account(await _admit(services, read, viewer, account_id), services.site)


@get(f"{PATH}/{{account_id:str}}/followers", opt=serves(Serves.ANYONE, scope="read:accounts"))
async def followers(
    request: Request[Any, Any, Any], account_id: str, viewer: Viewer, services: Services
) -> Response[list[entities.Account]]:
    """Who follows an account, in pages of 40 (80 at most)."""
    return await _people(request, account_id, viewer, services, relations.follower_ids)


@get(f"{PATH}/{{account_id:str}}/following", opt=serves(Serves.ANYONE, scope="read:accounts"))
async def following(
    request: Request[Any, Any, Any], account_id: str, viewer: Viewer, services: Services
) -> Response[list[entities.Account]]:
    """Whom an account follows, in pages of 40 (80 at most)."""
    return await _people(request, account_id, viewer, services, relations.following_ids)


@post(f"{PATH}/{{account_id:str}}/follow", opt=_FOLLOW, status_code=200)
async def follow(account_id: str, permit: Permit, services: Services) -> entities.Relationship:
    """Follow an account. Which of its posts one sees can't be chosen yet: reblogs and languages are ignored."""
    async with services.database.read() as read:
        target = (await _admit(services, read, permit.viewer, account_id)).item.id
    await services.gate.act(permit, lambda acting: following_.follow(acting, target))
    return await _relationship(services, permit.viewer, target)


@post(f"{PATH}/{{account_id:str}}/unfollow", opt=_FOLLOW, status_code=200)
async def unfollow(account_id: str, permit: Permit, services: Services) -> entities.Relationship:
    """No longer follow an account."""
    target = entity_id(account_id)
    await services.gate.act(permit, lambda acting: following_.unfollow(acting, target))
    return await _relationship(services, permit.viewer, target)


@post(f"{PATH}/{{account_id:str}}/block", opt=_BLOCK, status_code=200)
async def block(account_id: str, permit: Permit, services: Services) -> entities.Relationship:
    """Block an account: neither sees the other any more. Works also where the other has blocked first."""
    target = entity_id(account_id)
    await services.gate.act(permit, lambda acting: deciding.block(acting, target))
    return await _relationship(services, permit.viewer, target)


@post(f"{PATH}/{{account_id:str}}/unblock", opt=_BLOCK, status_code=200)
async def unblock(account_id: str, permit: Permit, services: Services) -> entities.Relationship:
    """No longer block an account. Follows that the block ended do not come back."""
    target = entity_id(account_id)
    await services.gate.act(permit, lambda acting: deciding.unblock(acting, target))
    return await _relationship(services, permit.viewer, target)


async def _own(services: Services, viewer: Viewer) -> entities.CredentialAccount:
    async with services.database.read() as read:
        own = await _admit(services, read, viewer, str(viewer.id))
    return present.credential_account(own, services.site)


async def _admit(services: Services, read: Read, viewer: Viewer, account_id: str) -> Visible[Account]:
    found = await queries.by_ids(read, [entity_id(account_id)])
    return await services.gate.admit_one(read, viewer, found[0] if found else None, "Record")


async def _people(
    request: Request[Any, Any, Any], account_id: str, viewer: Viewer, services: Services, ids_of: _IdsOf
) -> Response[list[entities.Account]]:
    asked = page(request, limit=40, limit_max=80)
    async with services.database.read() as read:
        whose = (await _admit(services, read, viewer, account_id)).item.id
        ids = await ids_of(read, whose, asked)
        admitted = await services.gate.admit(read, viewer, await queries.by_ids(read, ids))
    return Response(
        [present.account(item, services.site) for item in admitted],
        headers=link_header(request, services.site.base_url, ids, asked.limit),
    )


async def _relationship(services: Services, viewer: Viewer, account_id: int) -> entities.Relationship:
    async with services.database.read() as read:
        found = await relations.relationships(read, viewer.id, [account_id])
    if not found:
        raise Refused("not_found", "Record not found", status=404)
    return present.relationship(found[0])


HANDLERS: list[Any] = [
    verify_credentials,
    update_credentials,
    lookup,
    relationships,
    show,
    followers,
    following,
    follow,
    unfollow,
    block,
    unblock,
]
