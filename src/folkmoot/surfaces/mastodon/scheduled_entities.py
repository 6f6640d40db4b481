"""Mastodon's entity for posts that come later: https://docs.joinmastodon.org/entities/ScheduledStatus/."""

import msgspec
from msgspec import UNSET, UnsetType

from folkmoot.surfaces.mastodon.status_entities import MediaAttachment


class ScheduledPoll(msgspec.Struct, kw_only=True):
    """A poll as it was sent; it begins when the post comes. `expires_in` is in seconds."""

    options: list[str]
    expires_in: int
    multiple: bool
    hide_totals: bool


class ScheduledParams(msgspec.Struct, kw_only=True):
    """What was sent."""

    text: str
    poll: ScheduledPoll | None
    media_ids: list[str] | None
    sensitive: bool
    spoiler_text: str
    visibility: str
    in_reply_to_id: str | None
    language: str | None
    application_id: int | None
    quoted_status_id: str | None
    quote_approval_policy: str
    idempotency: str | None
    scheduled_at: None = None
    with_rate_limit: bool = False


class ScheduledExtension(msgspec.Struct, kw_only=True):
    """What Folkmoot says beyond Mastodon: why it couldn't be posted when its time came."""

    refused: str


class ScheduledStatus(msgspec.Struct, kw_only=True):
    """A post that comes later. One whose time is over couldn't be posted then, and waits for another time."""

    id: str
    scheduled_at: str
    params: ScheduledParams
    media_attachments: list[MediaAttachment]
    folkmoot: ScheduledExtension | UnsetType = UNSET
