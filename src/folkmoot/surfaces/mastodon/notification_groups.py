"""Notifications, those that are alike together: https://docs.joinmastodon.org/methods/grouped_notifications/."""

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from msgspec import UNSET
from msgspec.structs import replace

from folkmoot.accounts.model import Page
from folkmoot.gate import Action, Permit, Refused, Serves, Viewer, invalid
from folkmoot.notifications import actions, queries
from folkmoot.notifications.model import GROUPED, Asked, Kind, Notification
from folkmoot.storage.database import Read
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.mastodon import load_notifications, present_notifications
from folkmoot.surfaces.mastodon.entities import Account
from folkmoot.surfaces.mastodon.notification_entities import GroupedNotifications, UnreadCount
from folkmoot.surfaces.mastodon.notifications import (
    LIMIT,
    LIMIT_MAX,
    READ,
    UNREAD_LIMIT,
    UNREAD_LIMIT_MAX,
    WRITE,
    asked_for,
    kinds_in,
)
from folkmoot.surfaces.mastodon.paging import link_header, page, possible_id
from folkmoot.surfaces.mastodon.present import account
from folkmoot.surfaces.mastodon.present_notifications import Loaded
from folkmoot.surfaces.services import Services

PATH = "/api/v2/notifications"
GROUP = f"{PATH}/{{group_key:str}}"
ROWS_AT_ONCE = 200
ROUNDS_MAX = 5
_UNGROUPED = "ungrouped-"


class Groups(msgspec.Struct):
    """Groups of a page, the newest first, and the ids that were read for them."""

    by_key: dict[str, list[Loaded]]
    read_ids: list[int]
    is_end: bool = False  # nothing is left to read


@get(PATH, opt=serves(Serves.SIGNED_IN, scope=READ))
async def grouped(
    request: Request[Any, Any, Any], viewer: Viewer, services: Services
) -> Response[GroupedNotifications]:
    """What one was told, in groups of what is alike, the newest first. A group goes on on the next page."""
    asked = page(request, limit=LIMIT, limit_max=LIMIT_MAX)
    async with services.database.read() as read:
        found = await _groups(read, services, viewer, asked_for(request), asked, _grouped(request))
        answer = await _present(read, services, viewer, found.by_key, _expands_partly(request))
    # A page of groups goes on where reading for it stopped, however few groups that were.
    limit = len(found.read_ids) + 1 if found.is_end else len(found.read_ids)
    headers = link_header(request, services.site.base_url, found.read_ids, limit)
    return Response(answer, headers=headers)


@get(f"{PATH}/unread_count", opt=serves(Serves.SIGNED_IN, scope=READ))
async def unread_groups(request: Request[Any, Any, Any], viewer: Viewer, services: Services) -> UnreadCount:
    """How many groups have something new since the marker of notifications, as far as `limit`."""
    asked = page(request, limit=UNREAD_LIMIT, limit_max=UNREAD_LIMIT_MAX)
    wanted, kinds = asked_for(request), _grouped(request)
    keys: set[str] = set()
    async with services.database.read() as read:
        newer = Page(limit=ROWS_AT_ONCE, since_id=await queries.last_read_id(read, viewer.id))
        for _ in range(ROUNDS_MAX):
            rows = await queries.of_account(read, viewer.id, wanted, newer)
            keys |= {_key(row, kinds) for row in await load_notifications.shown(read, services, viewer, rows)}
            if len(rows) < ROWS_AT_ONCE or len(keys) >= asked.limit:
                break
            newer = replace(newer, max_id=rows[-1].id)
    return UnreadCount(min(len(keys), asked.limit))


@get(GROUP, opt=serves(Serves.SIGNED_IN, scope=READ))
async def group(
    group_key: str, request: Request[Any, Any, Any], viewer: Viewer, services: Services
) -> GroupedNotifications:
    """One group."""
    async with services.database.read() as read:
        rows = await _rows(read, viewer, group_key, Page(limit=LIMIT_MAX))
        loaded = await load_notifications.load(read, services, viewer, rows)
        if not loaded:
            raise Refused("not_found", "Record not found.", status=404)
        return await _present(read, services, viewer, {group_key: loaded}, _expands_partly(request))


@get(f"{GROUP}/accounts", opt=serves(Serves.SIGNED_IN, scope=READ))
async def group_accounts(
    group_key: str, request: Request[Any, Any, Any], viewer: Viewer, services: Services
) -> Response[list[Account]]:
    """Who did what a group is of, the last first. The cursors of `Link` are of notifications."""
    asked = page(request, limit=LIMIT, limit_max=LIMIT_MAX)
    async with services.database.read() as read:
        rows = await _rows(read, viewer, group_key, asked)
        loaded = await load_notifications.load(read, services, viewer, rows)
    headers = link_header(request, services.site.base_url, [row.id for row in rows], asked.limit)
    people = {one.account.item.id: account(one.account, services.site) for one in loaded}
    return Response(list(people.values()), headers=headers)


@post(f"{GROUP}/dismiss", opt=serves(Serves.SIGNED_IN, Action.READ, WRITE), status_code=200)
async def dismiss_group(group_key: str, permit: Permit, services: Services) -> dict[str, Any]:
    """Forget all of a group."""
    alone = _alone(group_key)
    if alone is not None:
        await services.gate.act(permit, lambda acting: actions.dismiss(acting, alone))
    else:
        await services.gate.act(permit, lambda acting: actions.dismiss_group(acting, group_key))
    return {}


async def _groups(
    read: Read, services: Services, viewer: Viewer, asked: Asked, wanted: Page, kinds: frozenset[Kind]
) -> Groups:
    """As many groups as a page has, of a bounded number of notifications."""
    found = Groups({}, [])
    upwards = wanted.min_id is not None
    rest = replace(wanted, limit=ROWS_AT_ONCE)
    for _ in range(ROUNDS_MAX):
        rows = await queries.of_account(read, viewer.id, asked, rest)
        loaded = {
            one.notification.item.id: one for one in await load_notifications.load(read, services, viewer, rows)
        }
        for row in reversed(rows) if upwards else rows:
            key = _key(row, kinds)
            if row.id in loaded and key not in found.by_key and len(found.by_key) == wanted.limit:
                return _ordered(found, upwards=upwards)
            found.read_ids.append(row.id)
            if row.id in loaded:
                found.by_key.setdefault(key, []).append(loaded[row.id])
        if len(rows) < ROWS_AT_ONCE:
            found.is_end = len(found.by_key) < wanted.limit
            break
        rest = replace(rest, **({"min_id": rows[0].id} if upwards else {"max_id": rows[-1].id}))
    return _ordered(found, upwards=upwards)


def _ordered(found: Groups, *, upwards: bool) -> Groups:
    """The newest first, also where it was read from the oldest on."""
    if not upwards:
        return found
    by_key = {key: loaded[::-1] for key, loaded in found.by_key.items()}
    newest_first = sorted(by_key.items(), key=lambda group: -group[1][0].notification.item.id)
    return Groups(dict(newest_first), found.read_ids[::-1], found.is_end)


async def _present(
    read: Read, services: Services, viewer: Viewer, by_key: dict[str, list[Loaded]], partly: bool
) -> GroupedNotifications:
    sizes = await queries.group_sizes(read, viewer.id, list(by_key))
    groups = [
        present_notifications.group(loaded, key, max(len(loaded), sizes.get(key, 0)))
        for key, loaded in by_key.items()
    ]
    everybody = [one for loaded in by_key.values() for one in loaded]
    people = {str(one.account.item.id): one.account for one in everybody}
    named = dict.fromkeys(id_ for one in groups for id_ in one.sample_account_ids)
    whole = dict.fromkeys(one.sample_account_ids[0] for one in groups) if partly else named
    return GroupedNotifications(
        accounts=[account(people[id_], services.site) for id_ in whole],
        partial_accounts=[
            present_notifications.partial_account(people[id_], services.site) for id_ in named if id_ not in whole
        ]
        if partly
        else UNSET,
        statuses=list({one.status.id: one.status for one in everybody if one.status is not None}.values()),
        notification_groups=groups,
    )


async def _rows(read: Read, viewer: Viewer, group_key: str, asked: Page) -> Sequence[Notification]:
    alone = _alone(group_key)
    if alone is not None:
        return await queries.by_ids(read, viewer.id, [alone])
    return await queries.of_group(read, viewer.id, group_key, asked)


def _key(row: Notification, kinds: frozenset[Kind]) -> str:
    return row.group_key if row.kind in kinds else f"{_UNGROUPED}{row.id}"


def _alone(group_key: str) -> int | None:
    """The notification that is a group by itself."""
    return possible_id(group_key.removeprefix(_UNGROUPED)) if group_key.startswith(_UNGROUPED) else None


def _grouped(request: Request[Any, Any, Any]) -> frozenset[Kind]:
    """What a client knows in groups."""
    said = kinds_in(request, "grouped_types")
    return GROUPED if said is None else GROUPED & said


def _expands_partly(request: Request[Any, Any, Any]) -> bool:
    said = request.query_params.get("expand_accounts", "full")
    if said not in ("full", "partial_avatars"):
        raise invalid("expand_accounts is full or partial_avatars")
    return said == "partial_avatars"


HANDLERS: list[Any] = [grouped, unread_groups, group, group_accounts, dismiss_group]
