"""Mastodon's methods that show accounts: https://docs.joinmastodon.org/methods/accounts/."""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request, Response, get

from folkmoot.accounts import queries
from folkmoot.accounts.model import Account, Page
from folkmoot.accounts.relations import queries as relations
from folkmoot.gate import Refused, Serves, Viewer, Visible
from folkmoot.storage.database import Read
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.mastodon import entities, present
from folkmoot.surfaces.mastodon.paging import entity_id, ids_asked_for, link_header, page, says
from folkmoot.surfaces.services import Services

_IdsOf = Callable[[Read, int, Page], Awaitable[list[int]]]
PATH = "/api/v1/accounts"
IDS_MAX = 100


@get(PATH, opt=serves(Serves.ANYONE, scope="read:accounts"))
async def list_accounts(
    request: Request[Any, Any, Any], viewer: Viewer, services: Services
) -> list[entities.Account]:
    """The accounts of `id[]` that the viewer may see, a hundred at most."""
    async with services.database.read() as read:
        found = await queries.by_ids(read, ids_asked_for(request, IDS_MAX))
        admitted = await services.gate.admit(read, viewer, found)
    return [present.account(one, services.site) for one in admitted]


@get(f"{PATH}/relationships", opt=serves(Serves.SIGNED_IN, scope="read:follows"))
async def relationships(
    request: Request[Any, Any, Any], viewer: Viewer, services: Services
) -> list[entities.Relationship]:
    """How one stands to each of `id[]`; `with_suspended` has those in it of whom nobody is shown anything."""
    ids = ids_asked_for(request, IDS_MAX)
    with_suspended = says(request, "with_suspended")
    async with services.database.read() as read:
        found = await relations.relationships(read, viewer.id, ids, with_suspended=with_suspended)
    return [present.relationship(item) for item in found]


@get(f"{PATH}/{{account_id:str}}", opt=serves(Serves.ANYONE, scope="read:accounts"))
async def show(account_id: str, viewer: Viewer, services: Services) -> entities.Account:
    """An account by id; also one that one blocks, of which nothing else is shown."""
    async with services.database.read() as read:
        found = await queries.by_ids(read, [entity_id(account_id)])
        shown = await admit_or_blocked(services, read, viewer, found[0] if found else None)
        return present.account(shown, services.site)


@get(f"{PATH}/{{account_id:str}}/followers", opt=serves(Serves.ANYONE, scope="read:accounts"))
async def followers(
    request: Request[Any, Any, Any], account_id: str, viewer: Viewer, services: Services
) -> Response[list[entities.Account]]:
    """Who follows an account, in pages of 40 (80 at most). Nobody, where it hides them from others."""
    return await _people(request, account_id, viewer, services, relations.follower_ids)


@get(f"{PATH}/{{account_id:str}}/following", opt=serves(Serves.ANYONE, scope="read:accounts"))
async def following(
    request: Request[Any, Any, Any], account_id: str, viewer: Viewer, services: Services
) -> Response[list[entities.Account]]:
    """Whom an account follows, in pages of 40 (80 at most). Nobody, where it hides them from others."""
    return await _people(request, account_id, viewer, services, relations.following_ids)


@get(f"{PATH}/{{account_id:str}}/endorsements", opt=serves(Serves.ANYONE, scope="read:accounts"))
async def endorsements_of(
    request: Request[Any, Any, Any], account_id: str, viewer: Viewer, services: Services
) -> Response[list[entities.Account]]:
    """Whom an account recommends on its profile."""
    return await _people(request, account_id, viewer, services, relations.endorsed_ids, hidden=False)


@get(f"{PATH}/{{account_id:str}}/identity_proofs", opt=serves(Serves.ANYONE, scope="read:accounts"))
async def identity_proofs(account_id: str, viewer: Viewer, services: Services) -> list[Any]:
    """Always empty, as in Mastodon since 3.5: there are none any more."""
    async with services.database.read() as read:
        await admit(services, read, viewer, account_id)
    return []


async def admit(services: Services, read: Read, viewer: Viewer, account_id: str) -> Visible[Account]:
    """The account of an id in a path. Raises Refused 404."""
    found = await queries.by_ids(read, [entity_id(account_id)])
    return await services.gate.admit_one(read, viewer, found[0] if found else None, "Record")


async def admit_or_blocked(
    services: Services, read: Read, viewer: Viewer, account: Account | None
) -> Visible[Account]:
    """An account, also one that the viewer blocks: they take that back where they did it. Raises Refused 404."""
    try:
        return await services.gate.admit_one(read, viewer, account, "Record")
    except Refused:
        blocked = await admit_blocked(services, read, viewer, account)
        if blocked is None:
            raise
        return blocked


async def admit_blocked(
    services: Services, read: Read, viewer: Viewer, account: Account | None
) -> Visible[Account] | None:
    """An account that the viewer blocks; None for any other."""
    if account is None or viewer.account_id is None:
        return None
    held = await relations.relationships(read, viewer.id, [account.id], with_suspended=False)
    blocked = [account] if held and held[0].blocking else []
    admitted = await services.gate.admit_blocked(read, viewer, blocked)
    return admitted[0] if admitted else None


async def _people(
    request: Request[Any, Any, Any],
    account_id: str,
    viewer: Viewer,
    services: Services,
    ids_of: _IdsOf,
    *,
    hidden: bool = True,
) -> Response[list[entities.Account]]:
    asked = page(request, limit=40, limit_max=80)
    async with services.database.read() as read:
        whose = (await admit(services, read, viewer, account_id)).item
        is_open = not (hidden and whose.hide_collections) or viewer.account_id == whose.id
        ids = await ids_of(read, whose.id, asked) if is_open else []
        admitted = await services.gate.admit(read, viewer, await queries.by_ids(read, ids))
    return Response(
        [present.account(item, services.site) for item in admitted],
        headers=link_header(request, services.site.base_url, ids, asked.limit),
    )


HANDLERS: list[Any] = [
    list_accounts,
    relationships,
    show,
    followers,
    following,
    endorsements_of,
    identity_proofs,
]
