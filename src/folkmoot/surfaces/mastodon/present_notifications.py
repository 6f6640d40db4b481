"""Notifications as Mastodon's JSON. Takes what the gate admitted, and nothing else."""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET

from folkmoot.accounts.model import Account
from folkmoot.gate import Visible
from folkmoot.notifications.model import SPACES, Notification, Request
from folkmoot.surfaces.mastodon import notification_entities as entities
from folkmoot.surfaces.mastodon.admin_entities import Report as ShownReport
from folkmoot.surfaces.mastodon.present import account, timestamp
from folkmoot.surfaces.mastodon.status_entities import Status
from folkmoot.surfaces.services import Site


class Loaded(msgspec.Struct, frozen=True):
    """A notification with what it is about."""

    notification: Visible[Notification]
    account: Visible[Account]
    status: Status | None = None
    report: ShownReport | None = None
    warning: entities.Warning | None = None
    reason: str | None = None  # why what was scheduled was not posted


def notification(loaded: Loaded, site: Site) -> entities.Notification:
    """One by itself."""
    item = loaded.notification.item
    return entities.Notification(
        id=str(item.id),
        type=item.kind.type,
        created_at=timestamp(item.created_at_ms),
        group_key=item.group_key,
        account=account(loaded.account, site),
        status=loaded.status or UNSET,
        report=loaded.report or UNSET,
        moderation_warning=loaded.warning or UNSET,
        folkmoot=_extension(loaded),
    )


def group(page: Sequence[Loaded], key: str, count: int) -> entities.NotificationGroup:
    """What of a group is on a page, the newest first. `count`: how many it holds in all."""
    newest, oldest = page[0], page[-1]
    item = newest.notification.item
    people = dict.fromkeys(str(one.account.item.id) for one in page)
    return entities.NotificationGroup(
        group_key=key,
        notifications_count=count,
        type=item.kind.type,
        most_recent_notification_id=item.id,
        page_min_id=str(oldest.notification.item.id),
        page_max_id=str(item.id),
        latest_page_notification_at=timestamp(item.created_at_ms),
        sample_account_ids=list(people)[:SAMPLED],
        status_id=newest.status.id if newest.status is not None else UNSET,
        report=newest.report or UNSET,
        moderation_warning=newest.warning or UNSET,
        folkmoot=_extension(newest),
    )


SAMPLED = 8
"""How many of a group's people are named with it."""


def partial_account(visible: Visible[Account], site: Site) -> entities.PartialAccount:
    """As much of a person as an avatar takes."""
    whole = account(visible, site)
    return entities.PartialAccount(
        id=whole.id,
        acct=whole.acct,
        locked=whole.locked,
        bot=whole.bot,
        url=whole.url,
        avatar=whole.avatar,
        avatar_static=whole.avatar_static,
    )


def request(
    visible: Visible[Request], who: Visible[Account], last: Status | None, site: Site
) -> entities.NotificationRequest:
    """Somebody whose news wait."""
    item = visible.item
    return entities.NotificationRequest(
        id=str(item.id),
        created_at=timestamp(item.created_at_ms),
        updated_at=timestamp(item.updated_at_ms),
        notifications_count=str(item.count),
        account=account(who, site),
        last_status=last,
    )


def _extension(loaded: Loaded) -> entities.Extension | msgspec.UnsetType:
    item = loaded.notification.item
    if loaded.reason is not None:
        return entities.Extension(event="refused", scheduled_status_id=str(item.about_id), reason=loaded.reason)
    if item.kind not in SPACES:
        return UNSET
    return entities.Extension(event=item.kind.value.removeprefix("space."), space_id=str(item.about_id))
