"""Whom one follows, blocks, mutes, notes something about: of one's own data, what is about others."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from folkmoot.accounts.discovery.queries import dismissed_ids
from folkmoot.accounts.model import Account, Page
from folkmoot.accounts.profiles.model import PostingDefaults
from folkmoot.accounts.relations import queries as relations
from folkmoot.gate import Permit, Visible
from folkmoot.storage.database import Read
from folkmoot.surfaces.export_rows import PAGE, Row, Section, go_on_from, people, time_or_none
from folkmoot.surfaces.mastodon.present import portrait, timestamp
from folkmoot.surfaces.services import Services, Site

_IdsOf = Callable[[Read, int, Page], Awaitable[list[int]]]


def profile(own: Visible[Account], defaults: PostingDefaults, site: Site) -> Row:
    """What one says of oneself, and what one chose for new posts."""
    account = own.item
    return {
        "id": str(account.id),
        "username": account.username,
        "display_name": account.display_name,
        "note": account.note,
        "fields": [msgspec.to_builtins(one) for one in account.fields],
        "locked": account.locked,
        "bot": account.bot,
        "discoverable": account.discoverable,
        "indexable": account.indexable,
        "hide_collections": account.hide_collections,
        "posting_defaults": msgspec.to_builtins(defaults),
        "avatar": portrait(own, "avatar", site),
        "header": portrait(own, "header", site),
        "role": account.role.value,
        "created_at": timestamp(account.created_at_ms),
    }


def _of(ids_of: _IdsOf) -> Section:
    async def section(read: Read, services: Services, permit: Permit, after_id: int | None) -> Any:
        ids = await ids_of(read, permit.viewer.id, Page(PAGE, max_id=after_id))
        return await people(read, services, permit, ids)

    return section


def _chosen(ids_of: _IdsOf) -> Section:
    """With what of each one wants to see."""

    async def section(read: Read, services: Services, permit: Permit, after_id: int | None) -> Any:
        ids = await ids_of(read, permit.viewer.id, Page(PAGE, max_id=after_id))
        rows, go_on = await people(read, services, permit, ids)
        found = await relations.relationships(read, permit.viewer.id, ids, with_suspended=True)
        chosen = {str(one.account_id): one for one in found}
        for row in rows:
            one = chosen[row["id"]]
            row |= {"reblogs": one.showing_reblogs, "notify": one.notifying, "languages": one.languages}
        return rows, go_on

    return section


async def _mutes(read: Read, services: Services, permit: Permit, after_id: int | None) -> Any:
    muted = dict(await relations.muted(read, permit.viewer.id, Page(PAGE, max_id=after_id)))
    rows, go_on = await people(read, services, permit, list(muted))
    return [row | {"until": time_or_none(muted[int(row["id"])])} for row in rows], go_on


async def _notes(read: Read, services: Services, permit: Permit, after_id: int | None) -> Any:
    noted = dict(await relations.notes(read, permit.viewer.id, Page(PAGE, max_id=after_id)))
    rows, go_on = await people(read, services, permit, list(noted))
    return [row | {"note": noted[int(row["id"])]} for row in rows], go_on


async def _domain_blocks(read: Read, _: Services, permit: Permit, after_id: int | None) -> Any:
    found = await relations.blocked_domains(read, permit.viewer.id, Page(PAGE, max_id=after_id))
    return [{"domain": host} for _, host in found], go_on_from([id_ for id_, _ in found])


SECTIONS: dict[str, Section] = {
    "following": _chosen(relations.following_ids),
    "follow_requests_made": _chosen(relations.asked_ids),
    "followers": _of(relations.follower_ids),
    "follow_requests": _of(relations.asking_ids),
    "blocks": _of(relations.blocked_ids),
    "mutes": _mutes,
    "domain_blocks": _domain_blocks,
    "endorsements": _of(relations.endorsed_ids),
    "notes_about_others": _notes,
    "dismissed_suggestions": _of(dismissed_ids),
}
