"""The bytes of files, at the addresses that players fetch them from (`media_links.py`)."""

from collections.abc import AsyncIterator
from typing import Any

from litestar import Request, Response, get
from litestar.response import Stream

from folkmoot.gate import Action, Refused, Serves, Stamp, Viewer
from folkmoot.gate.model import clip_subject, space_subject
from folkmoot.media.depot import Stored
from folkmoot.posts.files import queries
from folkmoot.posts.files.model import Media
from folkmoot.spaces.model import Space
from folkmoot.storage.database import Read
from folkmoot.storage.objects import ObjectStore
from folkmoot.surfaces.byte_ranges import Unsatisfiable, parse_range
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.mastodon import load_statuses, media_links
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.under_way import hold

# A file that is opened as a page of its own is shown and does nothing (CSP 3).
POLICY = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"
FOR_THE_VIEWER = "private, no-cache"
Bytes = Response[bytes] | Stream


@get(f"{media_links.MEDIA}/{{key:str}}", opt=serves(Serves.ANYONE, scope="read:statuses"))
async def fetch_media(
    request: Request[Any, Any, Any], key: str, viewer: Viewer, services: Services, ticket: str | None = None
) -> Bytes:
    """The bytes of a file, or a range of them. Asked for anew each time: who may see or hear it can change."""
    asked = media_links.asked(key)
    async with services.database.read() as read:
        looking = await _signed_for(read, request, services, asked.media_id, ticket) if ticket else viewer
        found = await queries.by_id(read, asked.media_id)
        visible, space = await load_statuses.admit_media(read, services, looking, found)
        hold(request, await _stamps(read, services, looking, visible.item, space))
    file = visible.item
    if asked.is_preview:
        if file.details.preview is None:
            raise Refused("not_found", "Media not found.", status=404)
        stored, version = file.details.preview, f"{file.id}-preview-{file.details.preview_version}"
    else:
        if not file.details.is_ready:
            raise Refused("not_found", "Media not found.", status=404)
        # The bytes are others after something was taken out of them.
        stored = Stored(file.object_key, file.content_type, file.size_bytes)
        version = f"{file.id}-{len(file.details.taken_out)}"
    return await send(request, services.objects, stored, version, FOR_THE_VIEWER)


async def send(
    request: Request[Any, Any, Any], objects: ObjectStore, stored: Stored, version: str, cached: str
) -> Bytes:
    """An object, or the range of it that is asked for (RFC 9110, 13 and 14). `version` is of its bytes."""
    tag = f'"{version}"'
    headers = {
        "ETag": tag,
        "Accept-Ranges": "bytes",
        "Cache-Control": cached,
        "Content-Security-Policy": POLICY,
        # Web pages elsewhere are clients, too.
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if request.headers.get("if-none-match") == tag:
        return Response(b"", status_code=304, headers=headers)
    try:
        asked = request.headers.get("range") if request.headers.get("if-range", tag) == tag else None
        part = parse_range(asked, stored.size_bytes)
    except Unsatisfiable:
        headers["Content-Range"] = f"bytes */{stored.size_bytes}"
        return Response(b"", status_code=416, headers=headers)
    start, end = (part.start, part.end) if part is not None else (0, stored.size_bytes)
    headers["Content-Length"] = str(end - start)
    if part is not None:
        headers["Content-Range"] = part.content_range

    try:
        await objects.head(stored.key)
    except FileNotFoundError as error:
        raise Refused("not_found", "Media not found.", status=404) from error

    def pieces() -> AsyncIterator[bytes]:
        return objects.stream(stored.key, start, end)

    return Stream(pieces, status_code=200 if part is None else 206, headers=headers, media_type=stored.content_type)


async def _stamps(
    read: Read, services: Services, viewer: Viewer, media: Media, space: Space | None
) -> tuple[Stamp, ...]:
    """What the bytes hang on while they are sent: the clip, and the Space that it was cut from."""
    about = [space_subject(space.id)] if space is not None else []
    if media.clip_id is not None:
        about.append(clip_subject(media.clip_id))
    return await services.gate.stamps(read, viewer, about)


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


HANDLERS: list[Any] = [fetch_media]
