"""Notifications, one by one: https://docs.joinmastodon.org/methods/notifications/."""

from typing import Any

from litestar import Request, Response, get, post

from folkmoot.accounts.model import Page
from folkmoot.gate import Action, Permit, Refused, Serves, Viewer
from folkmoot.notifications import actions, queries
from folkmoot.notifications.model import Asked, Kind
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.mastodon import load_notifications, present_notifications
from folkmoot.surfaces.mastodon.notification_entities import Notification, UnreadCount
from folkmoot.surfaces.mastodon.paging import entity_id, link_header, page, possible_id, says
from folkmoot.surfaces.services import Services

PATH = "/api/v1/notifications"
READ, WRITE = "read:notifications", "write:notifications"
LIMIT, LIMIT_MAX = 40, 80
UNREAD_LIMIT, UNREAD_LIMIT_MAX = 100, 1_000


@get(PATH, opt=serves(Serves.SIGNED_IN, scope=READ))
async def notifications(
    request: Request[Any, Any, Any], viewer: Viewer, services: Services
) -> Response[list[Notification]]:
    """What one was told, the newest first. `types[]=status` has what happens in Spaces, too; `space.live` and the
    like only that."""
    asked = page(request, limit=LIMIT, limit_max=LIMIT_MAX)
    async with services.database.read() as read:
        found = await load_notifications.page_of(read, services, viewer, asked_for(request), asked)
    headers = link_header(request, services.site.base_url, found.read_ids, asked.limit)
    return Response(
        [present_notifications.notification(one, services.site) for one in found.shown], headers=headers
    )


@get(f"{PATH}/unread_count", opt=serves(Serves.SIGNED_IN, scope=READ))
async def unread_count(request: Request[Any, Any, Any], viewer: Viewer, services: Services) -> UnreadCount:
    """How many came since the marker of notifications, as far as `limit`."""
    asked = page(request, limit=UNREAD_LIMIT, limit_max=UNREAD_LIMIT_MAX)
    async with services.database.read() as read:
        newer = Page(limit=asked.limit, since_id=await queries.last_read_id(read, viewer.id))
        rows = await queries.of_account(read, viewer.id, asked_for(request), newer)
        return UnreadCount(len(await load_notifications.shown(read, services, viewer, rows)))


@get(f"{PATH}/{{notification_id:str}}", opt=serves(Serves.SIGNED_IN, scope=READ))
async def notification(notification_id: str, viewer: Viewer, services: Services) -> Notification:
    """One of them."""
    async with services.database.read() as read:
        rows = await queries.by_ids(read, viewer.id, [entity_id(notification_id)])
        found = await load_notifications.load(read, services, viewer, rows)
    if not found:
        raise Refused("not_found", "Record not found.", status=404)
    return present_notifications.notification(found[0], services.site)


@post(f"{PATH}/clear", opt=serves(Serves.SIGNED_IN, Action.READ, WRITE), status_code=200)
async def clear(permit: Permit, services: Services) -> dict[str, Any]:
    """Forget all of them."""
    await services.gate.act(permit, actions.clear)
    return {}


@post(f"{PATH}/{{notification_id:str}}/dismiss", opt=serves(Serves.SIGNED_IN, Action.READ, WRITE), status_code=200)
async def dismiss(notification_id: str, permit: Permit, services: Services) -> dict[str, Any]:
    """Forget one of them."""
    id_ = entity_id(notification_id)
    await services.gate.act(permit, lambda acting: actions.dismiss(acting, id_))
    return {}


def asked_for(request: Request[Any, Any, Any]) -> Asked:
    """The notifications that a query wants. A type that we don't have matches none."""
    only, without = (kinds_in(request, name) for name in ("types", "exclude_types"))
    kinds = None
    if only is not None or without is not None:
        kinds = (frozenset(Kind) if only is None else only) - (without or frozenset())
    whose = request.query_params.get("account_id")
    return Asked(
        kinds=kinds,
        from_id=None if not whose else possible_id(whose) or 0,
        include_filtered=says(request, "include_filtered"),
    )


def kinds_in(request: Request[Any, Any, Any], name: str) -> frozenset[Kind] | None:
    """The kinds of the types that a query names: by Mastodon's word for them, or by our own."""
    said = {value for given in (name, f"{name}[]") for value in request.query_params.getall(given, [])}
    return frozenset(kind for kind in Kind if {kind.type, kind.value} & said) if said else None


HANDLERS: list[Any] = [notifications, unread_count, notification, clear, dismiss]
