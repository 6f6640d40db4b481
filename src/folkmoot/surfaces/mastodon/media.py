"""Files: Mastodon's methods for media, and the address that players fetch them from."""

from typing import Any

import msgspec
from litestar import Request, Response, get, put

from folkmoot.gate import Action, Permit, Refused, Serves, Stamp, Viewer
from folkmoot.gate.model import clip_subject, space_subject
from folkmoot.posts.files import actions, queries
from folkmoot.posts.files.model import Media
from folkmoot.spaces.model import Space
from folkmoot.storage.database import Read
from folkmoot.surfaces.byte_ranges import Unsatisfiable, parse_range
from folkmoot.surfaces.http import parse, serves
from folkmoot.surfaces.mastodon import load_statuses, media_links, present_media
from folkmoot.surfaces.mastodon.paging import entity_id
from folkmoot.surfaces.mastodon.status_entities import MediaAttachment
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.under_way import hold

PATH = "/api/v1/media"


class UpdateMedia(msgspec.Struct):
    """What can be changed of a file; other fields that clients send are left alone."""

    description: str | None = None


@get(f"{PATH}/{{media_id:str}}", opt=serves(Serves.SIGNED_IN, scope="write:media"))
async def show_media(media_id: str, viewer: Viewer, services: Services) -> MediaAttachment:
    """One's own file."""
    async with services.database.read() as read:
        return await _present(read, services, viewer, await queries.by_id(read, entity_id(media_id)))


@put(f"{PATH}/{{media_id:str}}", opt=serves(Serves.SIGNED_IN, Action.UPLOAD, "write:media"))
async def update_media(
    request: Request[Any, Any, Any], media_id: str, permit: Permit, services: Services
) -> MediaAttachment:
    """Describe one's own file for those who can't hear it."""
    asked, id_ = await parse(request, UpdateMedia), entity_id(media_id)
    if asked.description is not None:
        text = asked.description
        await services.gate.act(permit, lambda acting: actions.describe(acting, id_, text))
    async with services.database.read() as read:
        return await _present(read, services, permit.viewer, await queries.by_id(read, id_))


@get(f"{media_links.MEDIA}/{{key:str}}", opt=serves(Serves.ANYONE, scope="read:statuses"))
async def fetch_media(
    request: Request[Any, Any, Any], key: str, viewer: Viewer, services: Services, ticket: str | None = None
) -> Response[bytes]:
    """The bytes of a file, or a range of them. Asked for anew each time: who may hear it can change."""
    media_id = media_links.id_of(key)
    async with services.database.read() as read:
        looking = await _signed_for(read, request, services, media_id, ticket) if ticket else viewer
        found = await queries.by_id(read, media_id)
        visible, space = await load_statuses.admit_media(read, services, looking, found)
        hold(request, await _stamps(read, services, looking, visible.item, space))
    return await _bytes(request, services, visible.item)


async def _stamps(
    read: Read, services: Services, viewer: Viewer, media: Media, space: Space | None
) -> tuple[Stamp, ...]:
    """What the bytes hang on while they are sent: the clip, and the Space that it was cut from."""
    about = [space_subject(space.id)] if space is not None else []
    if media.clip_id is not None:
        about.append(clip_subject(media.clip_id))
    return await services.gate.stamps(read, viewer, about)


async def _bytes(request: Request[Any, Any, Any], services: Services, media: Media) -> Response[bytes]:
    # The bytes are others after something was taken out of them.
    tag = f'"{media.id}-{len(media.details.taken_out)}"'
    headers = {"ETag": tag, "Accept-Ranges": "bytes", "Cache-Control": "private, no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(b"", status_code=304, headers=headers)
    try:
        asked = request.headers.get("range") if request.headers.get("if-range", tag) == tag else None
        part = parse_range(asked, media.size_bytes)
    except Unsatisfiable:
        headers["Content-Range"] = f"bytes */{media.size_bytes}"
        return Response(b"", status_code=416, headers=headers)
    start, end = (part.start, part.end) if part is not None else (0, media.size_bytes)
    if part is not None:
        headers["Content-Range"] = part.content_range
    content = await services.objects.get(media.object_key, start, end)
    return Response(
        content, status_code=200 if part is None else 206, headers=headers, media_type=media.content_type
    )


async def _signed_for(
    read: Read, request: Request[Any, Any, Any], services: Services, media_id: int, ticket: str
) -> Viewer:
    """Whom a signed link stands for, as things are now. Raises Refused when any right behind it was lost."""
    signed = media_links.read(services.ticket_key, ticket, media_id, read.now_ms)
    await services.gate.check(read, signed.stamps)
    viewer = await services.gate.as_account(read, signed.account_id)
    services.gate.permit(viewer, Action.READ)
    hold(request, signed.stamps)
    return viewer


async def _present(read: Read, services: Services, viewer: Viewer, found: Media | None) -> MediaAttachment:
    if found is None or found.account_id != viewer.account_id:
        raise Refused("not_found", "Record not found", status=404)
    visible, space = await load_statuses.admit_media(read, services, viewer, found)
    return present_media.attachment(visible, load_statuses.media_url(read.now_ms, services, visible, space))


HANDLERS: list[Any] = [show_media, update_media, fetch_media]
