"""How people find each other: https://docs.joinmastodon.org/methods/accounts/#search, suggestions/, directory/."""

from collections.abc import Sequence
from typing import Any, get_args

from litestar import Request, delete, get

from folkmoot.accounts import queries as accounts
from folkmoot.accounts.discovery import actions, queries
from folkmoot.accounts.model import Account
from folkmoot.gate import Action, Permit, Serves, Viewer, Visible, invalid
from folkmoot.storage.database import Read
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.mastodon import entities, present
from folkmoot.surfaces.mastodon.accounts import PATH, admit_or_blocked
from folkmoot.surfaces.mastodon.paging import entity_id, ids_asked_for, number, says
from folkmoot.surfaces.services import Services, Site

LIMIT, LIMIT_MAX = 40, 80
OFFSET_MAX = 10_000
FAMILIAR_IDS_MAX = 40
_READ = "read:accounts"


@get(f"{PATH}/lookup", opt=serves(Serves.ANYONE, scope=_READ))
async def lookup(request: Request[Any, Any, Any], viewer: Viewer, services: Services) -> entities.Account:
    """An account by `acct`: "name" or "name@this-server"."""
    name, _, domain = request.query_params.get("acct", "").removeprefix("@").partition("@")
    async with services.database.read() as read:
        found = None
        if domain.lower() in ("", services.site.domain.lower()):
            found = await accounts.by_username(read, name)
        else:
            await services.gate.contact(read, domain)
        return present.account(await admit_or_blocked(services, read, viewer, found), services.site)


@get(f"{PATH}/search", opt=serves(Serves.SIGNED_IN, scope=_READ))
async def search_accounts(
    request: Request[Any, Any, Any], viewer: Viewer, services: Services
) -> list[entities.Account]:
    """The accounts in whose names words begin as those of `q` do; an address ("@name@this-server", or of a profile)
    finds just that one. `following`: only whom one follows."""
    limit, offset = _range(request)
    async with services.database.read() as read:
        found = await find(
            read,
            services,
            viewer,
            request.query_params.get("q", ""),
            limit=limit,
            offset=offset,
            following=says(request, "following"),
        )
    return [present.account(one, services.site) for one in found]


async def find(
    read: Read, services: Services, viewer: Viewer, text: str, *, limit: int, offset: int, following: bool = False
) -> list[Visible[Account]]:
    """Whom somebody means by a name, a part of one, or an address, as far as they may see them."""
    name = name_in(text, services.site)
    if name is not None:
        account = await accounts.by_username(read, name) if offset == 0 else None
        return await services.gate.admit(read, viewer, [account] if account is not None else [])
    ids = await queries.search(
        read, text, viewer_id=viewer.account_id, limit=limit, offset=offset, following=following
    )
    return await _admitted(read, services, viewer, ids)


def name_in(text: str, site: Site) -> str | None:
    """The username in an address of this server's; "" for one of another's, None for what is no address. Pure."""
    asked = text.strip()
    for beginning in (f"{site.base_url}/@", f"{site.base_url}/users/"):
        if asked.startswith(beginning):
            return asked.removeprefix(beginning).rstrip("/")
    if asked.startswith(("https://", "http://")):
        return ""
    name, at, domain = asked.removeprefix("@").partition("@")
    if not at:
        return None
    return name if domain.lower() == site.domain.lower() else ""


@get(f"{PATH}/familiar_followers", opt=serves(Serves.SIGNED_IN, scope="read:follows"))
async def familiar_followers(
    request: Request[Any, Any, Any], viewer: Viewer, services: Services
) -> list[entities.FamiliarFollowers]:
    """Of each of `id[]` those who follow it and whom one follows, forty at most, without who hides such things."""
    async with services.database.read() as read:
        asked = await accounts.by_ids(read, ids_asked_for(request, FAMILIAR_IDS_MAX))
        ids = [one.item.id for one in await services.gate.admit(read, viewer, asked)]
        found = await queries.familiar_follower_ids(read, viewer.id, ids)
        people = sorted({follower for followers in found.values() for follower in followers})
        shown = {one.item.id: one for one in await _admitted(read, services, viewer, people)}
    return [
        entities.FamiliarFollowers(
            id=str(id_),
            accounts=[present.account(shown[one], services.site) for one in followers if one in shown],
        )
        for id_, followers in found.items()
    ]


@get("/api/v2/suggestions", opt=serves(Serves.SIGNED_IN, scope=_READ))
async def suggestions(
    request: Request[Any, Any, Any], viewer: Viewer, services: Services
) -> list[entities.Suggestion]:
    """Whom to follow: whom most of those follow whom one follows, then whom most follow. Nobody who doesn't want to
    be found, or whom one follows, blocks, mutes, or was suggested in vain."""
    return await _suggestions(request, viewer, services)


@get("/api/v1/suggestions", opt=serves(Serves.SIGNED_IN, scope=_READ))
async def suggested_accounts(
    request: Request[Any, Any, Any], viewer: Viewer, services: Services
) -> list[entities.Account]:
    """The same for older clients, without why."""
    return [one.account for one in await _suggestions(request, viewer, services)]


@delete(
    "/api/v1/suggestions/{account_id:str}",
    opt=serves(Serves.SIGNED_IN, Action.EDIT_PROFILE, "write:accounts"),
    status_code=200,
)
async def dismiss_suggestion(account_id: str, permit: Permit, services: Services) -> dict[str, Any]:
    """Be suggested an account no more."""
    target = entity_id(account_id)
    await services.gate.act(permit, lambda acting: actions.dismiss_suggestion(acting, target))
    return {}


@get("/api/v1/directory", opt=serves(Serves.ANYONE, scope=_READ))
async def directory(request: Request[Any, Any, Any], viewer: Viewer, services: Services) -> list[entities.Account]:
    """Who wants to be listed, by their last post (`order=active`) or the newest first (`order=new`)."""
    limit, offset = _range(request)
    order = request.query_params.get("order") or "active"
    if order not in get_args(queries.Order):
        raise invalid("order is active or new")
    async with services.database.read() as read:
        ids = await queries.directory(
            read,
            order="new" if order == "new" else "active",
            limit=limit,
            offset=offset,
            viewer_id=viewer.account_id,
        )
        listed = await services.gate.listed(read, await accounts.by_ids(read, ids))
        admitted = await services.gate.admit(read, viewer, listed)
    return [present.account(one, services.site) for one in admitted]


async def _suggestions(
    request: Request[Any, Any, Any], viewer: Viewer, services: Services
) -> list[entities.Suggestion]:
    limit, _ = _range(request)
    async with services.database.read() as read:
        near = await queries.friends_of_friends(read, viewer.id, limit)
        known = await queries.most_followed(read, viewer.id, limit)
        ids = list(dict.fromkeys([*near, *known]))[:limit]
        listed = await services.gate.listed(read, await accounts.by_ids(read, ids))
        admitted = await services.gate.admit(read, viewer, listed)
    sources = (("friends_of_friends", set(near)), ("most_followed", set(known)))
    return [
        entities.Suggestion(
            source="past_interactions" if one.item.id in sources[0][1] else "global",
            sources=[name for name, whose in sources if one.item.id in whose],
            account=present.account(one, services.site),
        )
        for one in admitted
    ]


async def _admitted(read: Read, services: Services, viewer: Viewer, ids: Sequence[int]) -> list[Visible[Account]]:
    return await services.gate.admit(read, viewer, await accounts.by_ids(read, ids))


def _range(request: Request[Any, Any, Any]) -> tuple[int, int]:
    """(limit, offset) of a list that is ranked and has no cursors. Raises Refused 422."""
    offset = number(request, "offset") or 0
    if offset > OFFSET_MAX:
        raise invalid(f"offset is at most {OFFSET_MAX}")
    return max(1, min(number(request, "limit") or LIMIT, LIMIT_MAX)), offset


HANDLERS: list[Any] = [
    lookup,
    search_accounts,
    familiar_followers,
    suggestions,
    suggested_accounts,
    dismiss_suggestion,
    directory,
]
