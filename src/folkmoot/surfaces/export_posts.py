"""What one wrote, what comes later, what one chose and marked: of one's own data, what is about posts."""

from collections.abc import Sequence
from typing import Any

import msgspec

from folkmoot.accounts.model import Page
from folkmoot.gate import Permit, Visible
from folkmoot.posts import edits, polls, scheduled
from folkmoot.posts import queries as posts
from folkmoot.posts.files import queries as post_files
from folkmoot.posts.files.model import Media
from folkmoot.posts.marks import queries as marks
from folkmoot.posts.marks.model import Mark
from folkmoot.posts.model import Draft, Poll, Post, Version
from folkmoot.storage.database import Read
from folkmoot.surfaces.export_rows import PAGE, Row, Section, go_on_from, time_or_none
from folkmoot.surfaces.mastodon.present import timestamp
from folkmoot.surfaces.services import Services


async def _posts(read: Read, services: Services, permit: Permit, after_id: int | None) -> Any:
    found = await posts.of_author(read, permit.viewer.id, max_id=after_id, limit=PAGE)
    own = await services.gate.admit_to_export(read, permit, found)
    ids = [one.item.id for one in own]
    media, before = await post_files.of_posts(read, ids), await edits.earlier(read, ids)
    attached = [one for some in media.values() for one in some]
    files = {one.item.id: one for one in await services.gate.admit_to_export(read, permit, attached)}

    def files_of(post_id: int) -> list[Visible[Media]]:
        return [files[one.id] for one in media.get(post_id, []) if one.id in files]

    rows = [_post(one, files_of(one.item.id), before.get(one.item.id, [])) for one in own]
    return rows, go_on_from([post.id for post in found])


async def _scheduled(read: Read, _: Services, permit: Permit, after_id: int | None) -> Any:
    """Drafts as they are kept: nobody but their author ever sees them."""
    found = await scheduled.of_account(read, permit.viewer.id, Page(PAGE, max_id=after_id))
    rows = [
        {"id": str(one.id), "scheduled_at": timestamp(one.scheduled_at_ms), "refused": one.refused}
        | _draft(one.draft)
        for one in found
    ]
    return rows, go_on_from([one.id for one in found])


async def _votes(read: Read, _: Services, permit: Permit, after_id: int | None) -> Any:
    found = await polls.votes_of(read, permit.viewer.id, Page(PAGE, max_id=after_id))
    rows = [{"post": str(post_id), "option": option} for _, post_id, option in found]
    return rows, go_on_from([id_ for id_, _, _ in found])


def _marked(what: Mark) -> Section:
    async def section(read: Read, _: Services, permit: Permit, after_id: int | None) -> Any:
        found = await marks.marked_by(read, permit.viewer.id, what, Page(PAGE, max_id=after_id))
        return [{"post": str(post_id)} for _, post_id in found], go_on_from([id_ for id_, _ in found])

    return section


SECTIONS: dict[str, Section] = {
    "posts": _posts,
    "scheduled": _scheduled,
    "votes": _votes,
    "favourites": _marked(Mark.FAVOURITE),
    "bookmarks": _marked(Mark.BOOKMARK),
}


def _post(own: Visible[Post], media: Sequence[Visible[Media]], before: Sequence[Version]) -> Row:
    post = own.item
    return {
        "id": str(post.id),
        "created_at": timestamp(post.created_at_ms),
        "visibility": post.visibility.value,
        "text": post.source,
        "spoiler_text": post.spoiler_text,
        "sensitive": post.sensitive,
        "language": post.language,
        "in_reply_to_id": None if post.in_reply_to_id is None else str(post.in_reply_to_id),
        "reblog_of_id": None if post.reblog_of_id is None else str(post.reblog_of_id),
        "quoted_id": None if post.quoted is None else str(post.quoted.id),
        "quote_policy": post.quote_policy.value,
        "poll": _poll(post.poll),
        "media": [file_row(one) for one in media],
        "edited_at": time_or_none(post.edited_at_ms),
        "before": [_version(one) for one in before],
    }


def _poll(poll: Poll | None) -> Row | None:
    if poll is None:
        return None
    return {
        "options": list(poll.options),
        "multiple": poll.multiple,
        "expires_at": timestamp(poll.expires_at_ms),
        "votes": list(poll.tallies),
    }


def _version(one: Version) -> Row:
    return {
        "text": one.source,
        "spoiler_text": one.spoiler_text,
        "sensitive": one.sensitive,
        "language": one.language,
        "options": list(one.options),
        "media": [{"id": str(id_), "description": description} for id_, description in one.media],
        "written_at": timestamp(one.written_at_ms),
    }


def _draft(draft: Draft) -> Row:
    poll = draft.poll
    return {
        "visibility": draft.visibility.value,
        "text": draft.source,
        "spoiler_text": draft.spoiler_text,
        "sensitive": draft.sensitive,
        "language": draft.language,
        "in_reply_to_id": None if draft.in_reply_to_id is None else str(draft.in_reply_to_id),
        "quoted_id": None if draft.quoted_id is None else str(draft.quoted_id),
        "quote_policy": draft.quote_policy.value,
        "poll": None if poll is None else msgspec.to_builtins(poll),
        "media": [{"id": str(id_)} for id_ in draft.media_ids],
    }


def file_row(own: Visible[Media]) -> Row:
    """A file, without its bytes."""
    media = own.item
    return {
        "id": str(media.id),
        "kind": media.kind,
        "content_type": media.content_type,
        "size_bytes": media.size_bytes,
        "description": media.description,
    }
