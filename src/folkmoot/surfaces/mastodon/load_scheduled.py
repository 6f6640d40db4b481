"""From posts that come later to their JSON, for who wrote them."""

from collections.abc import Sequence

from msgspec import UNSET

from folkmoot.gate import Viewer
from folkmoot.posts.files import queries as files
from folkmoot.posts.model import Draft, PollDraft
from folkmoot.posts.scheduled import Scheduled
from folkmoot.storage.database import Read
from folkmoot.surfaces.mastodon import load_statuses
from folkmoot.surfaces.mastodon.present import timestamp
from folkmoot.surfaces.mastodon.scheduled_entities import (
    ScheduledExtension,
    ScheduledParams,
    ScheduledPoll,
    ScheduledStatus,
)
from folkmoot.surfaces.mastodon.status_entities import MediaAttachment
from folkmoot.surfaces.services import Services


async def one(read: Read, services: Services, viewer: Viewer, scheduled: Scheduled) -> ScheduledStatus:
    """One of the viewer's own."""
    return (await several(read, services, viewer, [scheduled]))[0]


async def several(
    read: Read, services: Services, viewer: Viewer, scheduled: Sequence[Scheduled]
) -> list[ScheduledStatus]:
    """The viewer's own, in order, with as many of their files as they may see."""
    waiting = await files.by_ids(read, [id_ for one in scheduled for id_ in one.draft.media_ids])
    attached = await load_statuses.attachments(read, services, viewer, waiting)
    return [_present(one, attached) for one in scheduled]


def _present(scheduled: Scheduled, attached: dict[int, MediaAttachment]) -> ScheduledStatus:
    draft = scheduled.draft
    return ScheduledStatus(
        id=str(scheduled.id),
        scheduled_at=timestamp(scheduled.scheduled_at_ms),
        params=_params(draft),
        media_attachments=[attached[id_] for id_ in draft.media_ids if id_ in attached],
        folkmoot=UNSET if scheduled.refused is None else ScheduledExtension(refused=scheduled.refused),
    )


def _params(draft: Draft) -> ScheduledParams:
    return ScheduledParams(
        text=draft.source,
        poll=_poll(draft.poll) if draft.poll is not None else None,
        media_ids=[str(id_) for id_ in draft.media_ids] or None,
        sensitive=draft.sensitive,
        spoiler_text=draft.spoiler_text,
        visibility=draft.visibility.value,
        in_reply_to_id=_id(draft.in_reply_to_id),
        language=draft.language,
        application_id=draft.application_id,
        quoted_status_id=_id(draft.quoted_id),
        quote_approval_policy=draft.quote_policy.value,
        idempotency=draft.idempotency_key,
    )


def _poll(draft: PollDraft) -> ScheduledPoll:
    return ScheduledPoll(
        options=list(draft.options),
        expires_in=draft.lasts_s,
        multiple=draft.multiple,
        hide_totals=draft.hide_totals,
    )


def _id(number: int | None) -> str | None:
    return None if number is None else str(number)
