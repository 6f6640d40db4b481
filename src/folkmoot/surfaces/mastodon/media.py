"""Files: Mastodon's methods for media, https://docs.joinmastodon.org/methods/media/.

A small picture is processed while its sender waits (200); the rest by a job (202, then 206 with how far it is).
"""

import asyncio
import math
from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post, put
from litestar.datastructures import UploadFile
from litestar.openapi import ResponseSpec

from folkmoot.clips.actions import delete_own_file
from folkmoot.gate import Acting, Action, Permit, Refused, Serves, Viewer, invalid
from folkmoot.media.depot import Made
from folkmoot.media.model import Purpose
from folkmoot.media.sniffing import GIF, Format
from folkmoot.posts.files import actions, claims, queries
from folkmoot.posts.files.model import Media, MediaDetails, details_of, folder_of, upload_key
from folkmoot.posts.rules import clean_description
from folkmoot.storage.database import Read
from folkmoot.surfaces import uploads
from folkmoot.surfaces.http import parse, serves
from folkmoot.surfaces.limits import Limits
from folkmoot.surfaces.mastodon import load_statuses, present_media
from folkmoot.surfaces.mastodon.paging import entity_id
from folkmoot.surfaces.mastodon.status_entities import MediaAttachment
from folkmoot.surfaces.services import Services

PATH = "/api/v1/media"
AT_ONCE_BYTES_MAX = 8_000_000
GIF_AT_ONCE_BYTES_MAX = 500_000  # a film is made of it, if it moves
WAITED_FOR_S = 60.0
_LOOK_EVERY_S = 0.25
_UPLOAD = serves(Serves.SIGNED_IN, Action.UPLOAD, "write:media")
_LATER = {202: ResponseSpec(MediaAttachment)}


class SentMedia(msgspec.Struct):
    """An upload, or what is changed of one; other fields that clients send are left alone."""

    file: uploads.FileSent = None
    thumbnail: uploads.FileSent = None
    description: str | None = None
    focus: str | None = None  # "x,y"


@post(
    "/api/v2/media",
    opt=_UPLOAD,
    request_max_body_size=uploads.BODY_BYTES_MAX,
    status_code=200,
    responses=_LATER,
)
async def upload_media(
    request: Request[Any, Any, Any], permit: Permit, services: Services, limits: Limits
) -> Response[MediaAttachment]:
    """Upload a file. 200 for a small picture; 202 for what is processed later: ask for it until it isn't 206."""
    return await _answer(services, permit.viewer, await _take(request, permit, services, limits))


@post(PATH, opt=_UPLOAD, request_max_body_size=uploads.BODY_BYTES_MAX, status_code=200, responses=_LATER)
async def upload_media_and_wait(
    request: Request[Any, Any, Any], permit: Permit, services: Services, limits: Limits
) -> Response[MediaAttachment]:
    """Upload a file, and be answered when it is processed; after a minute as by `/api/v2/media`."""
    media_id = await _take(request, permit, services, limits)
    for _ in range(int(WAITED_FOR_S / _LOOK_EVERY_S)):
        async with services.database.read() as read:
            file = await queries.by_id(read, media_id)
        if file is None or file.details.percent is None:
            break
        await asyncio.sleep(_LOOK_EVERY_S)
    return await _answer(services, permit.viewer, media_id)


@get(
    f"{PATH}/{{media_id:str}}",
    opt=serves(Serves.SIGNED_IN, scope="write:media"),
    responses={206: ResponseSpec(MediaAttachment)},
)
async def show_media(media_id: str, viewer: Viewer, services: Services) -> Response[MediaAttachment]:
    """One's own file: 206 while it is processed, with `folkmoot.progress` in percent; 422 if that failed."""
    return await _answer(services, viewer, entity_id(media_id), unfinished=206)


@put(f"{PATH}/{{media_id:str}}", opt=_UPLOAD, request_max_body_size=uploads.PICTURES_BYTES_MAX)
async def update_media(
    request: Request[Any, Any, Any], media_id: str, permit: Permit, services: Services, limits: Limits
) -> Response[MediaAttachment]:
    """Describe one's own file for those who can't see or hear it; say where its `focus` is; give it a thumbnail.
    One that a post shows is described anew by an edit of the post, which everybody can see."""
    asked, id_ = await parse(request, SentMedia), entity_id(media_id)
    thumbnail = uploads.sent_file(asked.thumbnail)
    focus = focus_of(asked.focus)
    async with services.database.read() as read:
        actions.require_no_post(await _own(read, permit.viewer, id_))
    made = None
    if thumbnail is not None:
        limits.upload(permit.viewer.id)
        made = await _thumbnail(services, thumbnail, id_)
    if asked.description is not None or focus is not None or made is not None:
        await services.gate.act(permit, lambda acting: _change(acting, id_, asked.description, focus, made))
    return await _answer(services, permit.viewer, id_)


@delete(f"{PATH}/{{media_id:str}}", opt=_UPLOAD, status_code=200)
async def delete_media(media_id: str, permit: Permit, services: Services) -> dict[str, Any]:
    """Delete one's own file, as long as it hangs on no post."""
    id_ = entity_id(media_id)
    await services.gate.act(permit, lambda acting: delete_own_file(acting, id_))
    return {}


async def _take(request: Request[Any, Any, Any], permit: Permit, services: Services, limits: Limits) -> int:
    """Enter what was sent as a file of the viewer's; return its id."""
    limits.upload(permit.viewer.id)
    asked = await parse(request, SentMedia)
    upload, thumbnail = uploads.sent_file(asked.file), uploads.sent_file(asked.thumbnail)
    if upload is None:
        raise invalid("File can't be blank")
    form, focus = uploads.form_of(upload), focus_of(asked.focus)
    description = clean_description(asked.description or "")
    media_id = services.database.ids.next()
    await services.gate.act(permit, lambda acting: claims.expect(acting, media_id))
    details = MediaDetails(focus=focus)
    if thumbnail is not None and form.family != "image":
        shown = await _thumbnail(services, thumbnail, media_id)
        details = msgspec.structs.replace(
            details, preview=shown.original, preview_version=1, blurhash=shown.processed.blurhash
        )
    file = Media(
        id=media_id,
        account_id=permit.viewer.id,
        kind={"image": "image", "film": "video", "sound": "audio"}[form.family],
        content_type=form.mime_type,
        object_key=upload_key(media_id),
        size_bytes=0,
        description=description,
        details=details,
        created_at_ms=services.clock_ms(),
    )
    if _is_small(form, upload) and not services.depot.workshop.places.locked():
        return await _process_now(permit, services, upload, file)
    with uploads.refusing():
        size_bytes = await services.depot.keep(upload.file, file.object_key)
    waiting = msgspec.structs.replace(
        file, size_bytes=size_bytes, details=msgspec.structs.replace(details, percent=0)
    )
    await services.gate.act(permit, lambda acting: actions.add_upload(acting, waiting))
    return media_id


async def _process_now(permit: Permit, services: Services, upload: UploadFile, file: Media) -> int:
    made = await uploads.picture(services, upload, Purpose.ATTACHMENT, folder_of(file.id))
    ready = msgspec.structs.replace(
        file,
        kind=made.processed.kind,
        content_type=made.original.content_type,
        object_key=made.original.key,
        size_bytes=made.original.size_bytes,
        details=details_of(made, file.details),
    )
    await services.gate.act(permit, lambda acting: actions.add(acting, ready))
    return file.id


def _is_small(form: Format, upload: UploadFile) -> bool:
    bytes_max = GIF_AT_ONCE_BYTES_MAX if form is GIF else AT_ONCE_BYTES_MAX
    return form.family == "image" and uploads.size_of(upload) <= bytes_max


async def _thumbnail(services: Services, upload: UploadFile, media_id: int) -> Made:
    """Where nothing was before: two that come at once are two objects, for the later discards the former."""
    folder = f"{folder_of(media_id)}/preview-{services.database.ids.next()}"
    return await uploads.picture(services, upload, Purpose.PREVIEW, folder)


async def _change(
    acting: Acting, media_id: int, description: str | None, focus: tuple[float, float] | None, made: Made | None
) -> None:
    actions.require_no_post(await queries.by_id(acting.tx, media_id))
    if description is not None:
        await actions.describe(acting, media_id, description)
    if focus is not None:
        await actions.set_focus(acting, media_id, focus)
    if made is not None:
        await actions.set_preview(acting, media_id, made.original, made.processed.blurhash)


def focus_of(text: str | None) -> tuple[float, float] | None:
    """What is to stay in view of a picture. Raises Refused 422 for what is no two numbers."""
    if not text:
        return None
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError as error:
        raise _no_focus() from error
    if math.isnan(x) or math.isnan(y):
        raise _no_focus()
    return max(-1.0, min(1.0, x)), max(-1.0, min(1.0, y))


def _no_focus() -> Refused:
    return invalid("Focus is two numbers from -1 to 1, such as 0.0,0.5")


async def _own(read: Read, viewer: Viewer, media_id: int) -> Media:
    found = await queries.by_id(read, media_id)
    if found is None or found.account_id != viewer.account_id:
        raise Refused("not_found", "Record not found", status=404)
    return found


async def _answer(
    services: Services, viewer: Viewer, media_id: int, *, unfinished: int = 202
) -> Response[MediaAttachment]:
    async with services.database.read() as read:
        found = await _own(read, viewer, media_id)
        visible, space = await load_statuses.admit_media(read, services, viewer, found)
        shown = present_media.attachment(visible, load_statuses.media_url(read.now_ms, services, visible, space))
    if found.details.failure:
        raise invalid(found.details.failure)
    return Response(shown, status_code=200 if found.details.is_ready else unfinished)


HANDLERS: list[Any] = [
    upload_media,
    upload_media_and_wait,
    show_media,
    update_media,
    delete_media,
]
