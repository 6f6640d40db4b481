"""One's own data as one JSON document, written while it is read: a page at a time, however much there is.

Each page is a read of its own, before which the right to it is looked up anew: what was signed out meanwhile breaks
off, and what has no end in JSON is not taken for whole.
"""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from litestar import get
from litestar.response import Stream

from folkmoot.accounts import queries as accounts
from folkmoot.accounts.passkeys import queries as passkeys
from folkmoot.accounts.profiles.queries import defaults_of
from folkmoot.accounts.sessions import queries as sessions
from folkmoot.accounts.sessions.queries import SignedIn
from folkmoot.clips import queries as clips
from folkmoot.clips.model import Clip
from folkmoot.gate import Action, Permit, Serves, Visible
from folkmoot.gate.model import Sanction
from folkmoot.gate.queries import sanctions_of
from folkmoot.moderation.appeals import queries as appeals
from folkmoot.moderation.appeals.model import Appeal
from folkmoot.posts.files import queries as post_files
from folkmoot.posts.files.model import Media
from folkmoot.spaces import queries as spaces
from folkmoot.spaces.model import Space
from folkmoot.storage.database import Read
from folkmoot.surfaces import export_notifications, export_people, export_posts, export_reading
from folkmoot.surfaces.export_rows import PAGE, Row, Section, go_on_from, time_or_none
from folkmoot.surfaces.http import require_own_pages, serves
from folkmoot.surfaces.mastodon.present import timestamp
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.session import PATH

VERSION = 1


@get(f"{PATH}/export", opt=serves(Serves.ROOM, Action.EXPORT))
async def export(permit: Permit, services: Services) -> Stream:
    """One's own data: profile, sanctions, appeals, what one decided about others, posts, marks, Spaces, clips."""
    require_own_pages(permit.viewer)
    headers = {"Content-Disposition": 'attachment; filename="folkmoot.json"', "Cache-Control": "no-store"}
    return Stream(_document(services, permit), media_type="application/json", headers=headers)


async def _document(services: Services, permit: Permit) -> AsyncIterator[bytes]:
    async with services.database.read() as read:
        head = await _head(read, services, permit)
    yield msgspec.json.encode(head)[:-1]
    for name, section in _SECTIONS.items():
        yield f',\n"{name}":['.encode()
        separator, after_id = b"\n", None
        while True:
            async with services.database.read() as read:
                await services.gate.check(read, permit.viewer.stamps)
                rows, after_id = await section(read, services, permit, after_id)
            for row in rows:
                yield separator + msgspec.json.encode(row)
                separator = b",\n"
            if after_id is None:
                break
        yield b"]"
    yield b"}\n"


async def _head(read: Read, services: Services, permit: Permit) -> Row:
    own_id = permit.viewer.id
    (own,) = await services.gate.admit_to_export(read, permit, await accounts.by_ids(read, [own_id]))
    made = await appeals.of_account(read, own_id)
    return {
        "version": VERSION,
        "server": services.site.base_url,
        "made_at": timestamp(read.now_ms),
        "profile": export_people.profile(own, await defaults_of(read, own_id), services.site)
        | {"email": await accounts.email_of(read, own_id)},
        "signed_in": [_signed_in(one) for one in await sessions.of_account(read, own_id, 0)],
        "passkeys": [
            {"name": one.name, "created_at": timestamp(one.created_at_ms)}
            for one in await passkeys.of_account(read, own_id)
        ],
        "notification_wishes": await export_notifications.wishes(read, own_id),
        "sanctions": [_sanction(one, made.get(one.id)) for one in await sanctions_of(read, own_id)],
    }


def _signed_in(one: SignedIn) -> Row:
    return {
        "name": one.application or one.name,
        "created_at": timestamp(one.created_at_ms),
        "last_used_at": None if one.used_at_ms is None else timestamp(one.used_at_ms),
    }


async def _spaces(read: Read, services: Services, permit: Permit, after_id: int | None) -> Any:
    ids = await spaces.ids_by_creator(read, permit.viewer.id, limit=PAGE, max_id=after_id)
    own = await services.gate.admit_to_export(read, permit, await spaces.by_ids(read, ids))
    return [_space(one) for one in own], go_on_from(ids)


async def _clips(read: Read, services: Services, permit: Permit, after_id: int | None) -> Any:
    found = await clips.of_account(read, permit.viewer.id, max_id=after_id, limit=PAGE)
    media = await post_files.of_clips(read, [clip.id for clip in found])
    own = await services.gate.admit_to_export(read, permit, media)
    files = {one.item.clip_id: one for one in own}
    return [_clip(clip, files.get(clip.id)) for clip in found], go_on_from([clip.id for clip in found])


_SECTIONS: dict[str, Section] = {
    **export_people.SECTIONS,
    **export_posts.SECTIONS,
    **export_reading.SECTIONS,
    **export_notifications.SECTIONS,
    "spaces": _spaces,
    "clips": _clips,
}


def _sanction(one: Sanction, appeal: Appeal | None) -> Row:
    return {
        "id": str(one.id),
        "standing": one.standing.value,
        "reason": one.reason,
        "until": time_or_none(one.until_ms),
        "decided_at": timestamp(one.decided_at_ms),
        "lifted_at": time_or_none(one.lifted_at_ms),
        "appeal": None
        if appeal is None
        else {"text": appeal.text, "state": appeal.state.value, "answer": appeal.answer},
    }


def _space(own: Visible[Space]) -> Row:
    space = own.item
    return {
        "id": str(space.id),
        "title": space.title,
        "topics": list(space.topics),
        "state": space.state.value,
        "audience": space.audience.value,
        "recorded": space.recorded,
        "created_at": timestamp(space.created_at_ms),
        "started_at": time_or_none(space.started_at_ms),
        "ended_at": time_or_none(space.ended_at_ms),
    }


def _clip(clip: Clip, file: Visible[Media] | None) -> Row:
    return {
        "id": str(clip.id),
        "space": str(clip.space_id),
        "start_ms": clip.start_ms,
        "end_ms": clip.end_ms,
        "created_at": timestamp(clip.created_at_ms),
        "media": None if file is None else export_posts.file_row(file),
    }


HANDLERS: list[Any] = [export]
