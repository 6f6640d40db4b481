"""How one reads: lists, tags, filters, markers, conversations, announcements. Of one's own data, what nobody else
is shown."""

from typing import Any

import msgspec

from folkmoot.accounts.model import Page
from folkmoot.gate import Permit
from folkmoot.posts.conversations import queries as conversations
from folkmoot.storage.database import Read
from folkmoot.surfaces.export_rows import PAGE, Row, Section, go_on_from, people
from folkmoot.surfaces.mastodon import filter_entities
from folkmoot.surfaces.mastodon.present import timestamp
from folkmoot.surfaces.services import Services
from folkmoot.timelines.announcements import queries as announcements
from folkmoot.timelines.filters import queries as filters
from folkmoot.timelines.lists import queries as lists
from folkmoot.timelines.lists.rules import MEMBERS_MAX
from folkmoot.timelines.markers import queries as markers
from folkmoot.timelines.tags import queries as tags


async def _lists(read: Read, services: Services, permit: Permit, after_id: int | None) -> Any:
    """One at a time, the oldest first: each may have many people."""
    every = await lists.of_account(read, permit.viewer.id)
    left = [one for one in every if after_id is None or one.id > after_id]
    if not left:
        return [], None
    one = left[0]
    members, _ = await people(read, services, permit, await lists.member_ids(read, one.id, Page(MEMBERS_MAX)))
    row: Row = {
        "id": str(one.id),
        "title": one.title,
        "replies_policy": one.replies_policy.value,
        "exclusive": one.exclusive,
        "accounts": members,
    }
    return [row], one.id if len(left) > 1 else None


async def _followed_tags(read: Read, _: Services, permit: Permit, after_id: int | None) -> Any:
    found = await tags.followed_by(read, permit.viewer.id, Page(PAGE, max_id=after_id))
    return [{"name": name} for _, name in found], go_on_from([id_ for id_, _ in found])


async def _featured_tags(read: Read, _: Services, permit: Permit, _after_id: int | None) -> Any:
    return [{"name": one.name} for one in await tags.featured_by(read, permit.viewer.id)], None


async def _filters(read: Read, _: Services, permit: Permit, _after_id: int | None) -> Any:
    found = await filters.of_account(read, permit.viewer.id)
    return [msgspec.to_builtins(filter_entities.whole(one)) for one in found], None


async def _markers(read: Read, _: Services, permit: Permit, _after_id: int | None) -> Any:
    found = await markers.of_account(read, permit.viewer.id)
    rows = [
        {
            "timeline": timeline.value,
            "last_read_id": str(one.last_read_id),
            "updated_at": timestamp(one.updated_at_ms),
        }
        for timeline, one in found.items()
    ]
    return rows, None


async def _conversations(read: Read, _: Services, permit: Permit, after_id: int | None) -> Any:
    found = await conversations.of_account(read, permit.viewer.id, Page(PAGE, max_id=after_id))
    rows = [{"id": str(one.id), "last_post": str(one.last_post_id), "unread": one.unread} for one in found]
    return rows, go_on_from([one.last_post_id for one in found])


async def _announcements(read: Read, _: Services, permit: Permit, _after_id: int | None) -> Any:
    dismissed, reactions = await announcements.done_by(read, permit.viewer.id)
    rows: list[Row] = [{"announcement": str(id_), "dismissed": True} for id_ in dismissed]
    return [*rows, *({"announcement": str(id_), "reaction": name} for id_, name in reactions)], None


SECTIONS: dict[str, Section] = {
    "lists": _lists,
    "followed_tags": _followed_tags,
    "featured_tags": _featured_tags,
    "filters": _filters,
    "markers": _markers,
    "conversations": _conversations,
    "announcements": _announcements,
}
