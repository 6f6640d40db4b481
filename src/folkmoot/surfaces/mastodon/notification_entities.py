"""Mastodon's entities for notifications: JSON field = attribute name.

Source: https://docs.joinmastodon.org/entities/Notification/ and its neighbours. A field that a type doesn't have is
left out.
"""

import msgspec
from msgspec import UNSET, UnsetType

from folkmoot.surfaces.mastodon.admin_entities import Report
from folkmoot.surfaces.mastodon.entities import Account
from folkmoot.surfaces.mastodon.status_entities import Status


class Appeal(msgspec.Struct, kw_only=True):
    """What came of an appeal: pending, approved, rejected."""

    text: str
    state: str


class Warning(msgspec.Struct, kw_only=True):  # noqa: A001 (the field's name for it)
    """What moderators decided about oneself, a Space or a clip of one's own."""

    id: str
    action: str
    text: str
    status_ids: list[str] | None = None
    target_account: Account
    appeal: Appeal | None = None
    created_at: str


class Extension(msgspec.Struct, kw_only=True):
    """What Folkmoot says beyond Mastodon: what happened in which Space; or which of one's scheduled posts was
    `refused` at its time, and why."""

    event: str
    space_id: str | UnsetType = UNSET
    scheduled_status_id: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET


class Notification(msgspec.Struct, kw_only=True):
    """Something that somebody is told."""

    id: str
    type: str
    created_at: str
    group_key: str
    account: Account
    status: Status | UnsetType = UNSET
    report: Report | UnsetType = UNSET
    moderation_warning: Warning | UnsetType = UNSET
    folkmoot: Extension | UnsetType = UNSET


class NotificationGroup(msgspec.Struct, kw_only=True):
    """Several that are alike. Accounts and posts stand beside the groups."""

    group_key: str
    notifications_count: int
    type: str
    most_recent_notification_id: int
    page_min_id: str
    page_max_id: str
    latest_page_notification_at: str
    sample_account_ids: list[str]
    status_id: str | UnsetType = UNSET
    report: Report | UnsetType = UNSET
    moderation_warning: Warning | UnsetType = UNSET
    folkmoot: Extension | UnsetType = UNSET


class PartialAccount(msgspec.Struct, kw_only=True):
    """As much of a person as an avatar takes."""

    id: str
    acct: str
    locked: bool
    bot: bool
    url: str
    avatar: str
    avatar_static: str


class GroupedNotifications(msgspec.Struct, kw_only=True):
    accounts: list[Account]
    partial_accounts: list[PartialAccount] | UnsetType = UNSET
    statuses: list[Status]
    notification_groups: list[NotificationGroup]


class UnreadCount(msgspec.Struct):
    count: int


class Policy(msgspec.Struct, kw_only=True):
    """From whom one wants to be told: each is accept, filter or drop."""

    for_not_following: str
    for_not_followers: str
    for_new_accounts: str
    for_private_mentions: str
    for_limited_accounts: str
    summary: dict[str, int]


class NotificationRequest(msgspec.Struct, kw_only=True):
    """Somebody whose notifications wait for a word."""

    id: str
    created_at: str
    updated_at: str
    notifications_count: str
    account: Account
    last_status: Status | None = None


class Merged(msgspec.Struct):
    """Whether what was accepted stands among the others."""

    merged: bool
