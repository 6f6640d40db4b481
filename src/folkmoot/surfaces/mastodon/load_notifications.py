"""From notifications to their JSON for whom they tell: load what they are about, admit all of it, present.

What is muted, blocked or no longer to be seen is left out when somebody looks, whatever it was when it happened.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from folkmoot.accounts import queries as accounts
from folkmoot.accounts.model import Account, Page
from folkmoot.gate import Action, Refused, Standing, Viewer, Visible, subjects
from folkmoot.moderation.appeals import queries as appeals
from folkmoot.moderation.reports import queries as reports
from folkmoot.moderation.reports.model import Report
from folkmoot.notifications import queries
from folkmoot.notifications.model import OF_POSTS, Asked, Kind, Notification, Request
from folkmoot.posts import queries as posts
from folkmoot.posts import scheduled
from folkmoot.posts.marks import queries as marks
from folkmoot.posts.model import Post
from folkmoot.spaces import queries as spaces
from folkmoot.spaces.model import Space
from folkmoot.storage.database import Read
from folkmoot.surfaces.mastodon import load_statuses, present_admin, present_notifications
from folkmoot.surfaces.mastodon import notification_entities as entities
from folkmoot.surfaces.mastodon.admin_entities import Report as ShownReport
from folkmoot.surfaces.mastodon.filling import Filled, filled
from folkmoot.surfaces.mastodon.present import account, timestamp
from folkmoot.surfaces.mastodon.present_notifications import Loaded
from folkmoot.surfaces.mastodon.status_entities import Status
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.session import reason_shown
from folkmoot.timelines.filters.model import Context

_ACTIONS = {
    Standing.LIMITED: "silence",
    Standing.SUSPENDED: "suspend",
    Standing.LOCKED: "disable",
    Standing.REMOVED: "delete_statuses",
    Standing.MUTED: "none",
}
_APPEALS = {"waiting": "pending", "granted": "approved", "rejected": "rejected"}


async def page_of(read: Read, services: Services, viewer: Viewer, asked: Asked, page: Page) -> Filled[Loaded]:
    """A page of what the viewer was told."""

    async def look(wanted: Page) -> tuple[list[int], list[Loaded]]:
        rows = await queries.of_account(read, viewer.id, asked, wanted)
        return [row.id for row in rows], await load(read, services, viewer, rows)

    return await filled(page, look, lambda one: one.notification.item.id)


async def load(read: Read, services: Services, viewer: Viewer, rows: Sequence[Notification]) -> list[Loaded]:
    """Those of the notifications that the viewer may be shown, in order. A fixed number of statements."""
    if not rows:
        return []
    wanted, found = await _wanted(read, viewer, rows)
    everything: list[Any] = [*wanted, *found]
    admitted = await services.gate.admit(read, viewer, everything)
    statuses = await _statuses(read, services, viewer, wanted)
    around = _Around(
        accounts={one.item.id: one for one in admitted if isinstance(one.item, Account)},
        post_ids={id_ for id_, status in statuses.items() if not status.muted},
        reports=await _reports(read, services, viewer, wanted),
        warnings=await _warnings(read, services, viewer, wanted),
        refused=await _refused(read, viewer, wanted),
    )
    return [
        Loaded(
            one,
            around.accounts[one.item.from_id],
            statuses.get(one.item.post_id or 0),
            around.reports.get(one.item.about_id or 0) if one.item.kind is Kind.REPORT else None,
            around.warnings.get(one.item.about_id or 0) if one.item.kind is Kind.WARNING else None,
            around.refused.get(one.item.about_id or 0) if one.item.kind is Kind.NOT_POSTED else None,
        )
        for one in admitted
        if isinstance(one.item, Notification) and _is_there(one.item, around)
    ]


async def shown(read: Read, services: Services, viewer: Viewer, rows: Sequence[Notification]) -> list[Notification]:
    """Those that `load` would load, to be counted: of what they are about, no more is read than that takes."""
    if not rows:
        return []
    wanted, found = await _wanted(read, viewer, rows)
    about = await posts.by_ids(read, _post_ids(wanted))
    known = await spaces.by_ids(read, {post.space_id for post in about if post.space_id is not None})
    everything: list[Any] = [*wanted, *found, *about, *known]
    admitted = await services.gate.admit(read, viewer, everything)
    done = await marks.mine(read, viewer.id, about)
    space_ids = {one.item.id for one in admitted if isinstance(one.item, Space)}
    around = _Around(
        accounts={one.item.id: one for one in admitted if isinstance(one.item, Account)},
        post_ids={
            one.item.id
            for one in admitted
            if isinstance(one.item, Post)
            and (one.item.space_id is None or one.item.space_id in space_ids)
            and not (one.item.id in done and done[one.item.id].muted)
        },
        reports=await _reports(read, services, viewer, wanted),
        warnings=await _warnings(read, services, viewer, wanted),
        refused=await _refused(read, viewer, wanted),
    )
    return [one.item for one in admitted if isinstance(one.item, Notification) and _is_there(one.item, around)]


async def _wanted(
    read: Read, viewer: Viewer, rows: Sequence[Notification]
) -> tuple[list[Notification], list[Account]]:
    """Those of people of whom the viewer wants to be told, and these."""
    people = {row.from_id for row in rows}
    hidden = await accounts.hidden_from(read, viewer.id, people - {viewer.id}, notifying=True)
    wanted = [row for row in rows if row.from_id not in hidden]
    return wanted, await accounts.by_ids(read, sorted(people - hidden))


async def requests(
    read: Read, services: Services, viewer: Viewer, found: Sequence[Request]
) -> list[entities.NotificationRequest]:
    """Those whose news wait, with the last post of each."""
    people = await accounts.by_ids(read, sorted({one.from_id for one in found}))
    everything: list[Any] = [*found, *people]
    admitted = await services.gate.admit(read, viewer, everything)
    by_id = {one.item.id: one for one in admitted if isinstance(one.item, Account)}
    hidden = await accounts.hidden_from(read, viewer.id, list(by_id), notifying=True)
    last = await posts.by_ids(read, {one.last_post_id for one in found if one.last_post_id is not None})
    statuses = {
        int(one.id): one
        for one in await load_statuses.statuses(read, services, viewer, last, Context.NOTIFICATIONS)
    }
    return [
        present_notifications.request(
            one, by_id[one.item.from_id], statuses.get(one.item.last_post_id or 0), services.site
        )
        for one in admitted
        if isinstance(one.item, Request) and one.item.from_id in by_id and one.item.from_id not in hidden
    ]


class _Around(msgspec.Struct, frozen=True):
    """What notifications are about, as far as the viewer may see it."""

    accounts: Mapping[int, Visible[Account]]
    post_ids: Collection[int]  # without those of whose conversations they want to hear no more
    reports: Mapping[int, ShownReport]
    warnings: Mapping[int, entities.Warning]
    refused: Mapping[int, str]  # of what was scheduled, and still waits for another time


def _is_there(item: Notification, around: _Around) -> bool:
    if item.from_id not in around.accounts:
        return False
    if item.kind in OF_POSTS:
        return item.post_id in around.post_ids
    about: Mapping[Kind, Mapping[int, Any]] = {
        Kind.REPORT: around.reports,
        Kind.WARNING: around.warnings,
        Kind.NOT_POSTED: around.refused,
    }
    return item.kind not in about or item.about_id in about[item.kind]


def _post_ids(rows: Sequence[Notification]) -> set[int]:
    return {row.post_id for row in rows if row.kind in OF_POSTS and row.post_id is not None}


async def _statuses(
    read: Read, services: Services, viewer: Viewer, rows: Sequence[Notification]
) -> dict[int, Status]:
    ids = _post_ids(rows)
    if not ids:
        return {}
    found = await load_statuses.statuses(
        read, services, viewer, await posts.by_ids(read, ids), Context.NOTIFICATIONS
    )
    return {int(status.id): status for status in found}


async def _reports(
    read: Read, services: Services, viewer: Viewer, rows: Sequence[Notification]
) -> dict[int, ShownReport]:
    """For who moderates now."""
    ids = {row.about_id for row in rows if row.kind is Kind.REPORT and row.about_id is not None}
    if not ids:
        return {}
    try:
        permit = services.gate.permit(viewer, Action.MODERATE)
    except Refused:
        return {}
    made = await reports.by_ids(read, ids, judge_id=viewer.id)
    about = await accounts.by_ids(read, sorted({one.target_id for one in made}))
    admitted: list[Visible[Any]] = services.gate.admit_to_moderate(permit, [*made, *about])
    targets = {one.item.id: one for one in admitted if isinstance(one.item, Account)}
    return {
        one.item.id: present_admin.report(one, targets[one.item.target_id], services.site)
        for one in admitted
        if isinstance(one.item, Report) and one.item.target_id in targets
    }


async def _refused(read: Read, viewer: Viewer, rows: Sequence[Notification]) -> dict[int, str]:
    ids = {row.about_id for row in rows if row.kind is Kind.NOT_POSTED and row.about_id is not None}
    return await scheduled.reasons(read, viewer.id, ids) if ids else {}


async def _warnings(
    read: Read, services: Services, viewer: Viewer, rows: Sequence[Notification]
) -> dict[int, entities.Warning]:
    ids = {row.about_id for row in rows if row.kind is Kind.WARNING and row.about_id is not None}
    if not ids:
        return {}
    own = await services.gate.admit(read, viewer, await accounts.by_ids(read, [viewer.id]))
    made = await appeals.of_account(read, viewer.id)
    return {
        id_: entities.Warning(
            id=str(id_),
            action=_ACTIONS.get(sanction.standing, "none"),
            text=reason_shown(sanction.standing, sanction.reason),
            target_account=account(one, services.site),
            appeal=entities.Appeal(text=made[id_].text, state=_APPEALS[made[id_].state.value])
            if id_ in made
            else None,
            created_at=timestamp(sanction.decided_at_ms),
        )
        for one in own
        for id_, (_, sanction) in (await subjects.by_ids(read, ids)).items()
    }
