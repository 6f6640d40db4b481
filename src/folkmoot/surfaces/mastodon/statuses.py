"""Mastodon's methods for posts: https://docs.joinmastodon.org/methods/statuses/."""

from typing import Any

import msgspec
from litestar import Request, delete, get, post

from folkmoot.gate import Action, Permit, Refused, Serves, Viewer, Visible
from folkmoot.posts import actions, queries
from folkmoot.posts.model import Draft, Post, Thread, Visibility
from folkmoot.spaces import queries as spaces
from folkmoot.storage.database import Read
from folkmoot.surfaces.http import parse, serves
from folkmoot.surfaces.mastodon import load_statuses
from folkmoot.surfaces.mastodon.paging import entity_id
from folkmoot.surfaces.mastodon.status_entities import Context, DeletedStatus, Status
from folkmoot.surfaces.services import Services

PATH = "/api/v1/statuses"
IDS_MAX = 40
_WRITE = "write:statuses"
_READ = "read:statuses"


class CreateStatus(msgspec.Struct):
    """A new post. Clients send ids as strings or numbers, and empty strings for nothing."""

    status: str | None = None
    media_ids: list[str | int] | None = None
    in_reply_to_id: str | int | None = None
    visibility: str | None = None
    sensitive: bool | None = None
    spoiler_text: str | None = None
    language: str | None = None
    scheduled_at: str | None = None
    poll: Any = None
    quoted_status_id: str | int | None = None


@post(PATH, opt=serves(Serves.SIGNED_IN, Action.POST, _WRITE), status_code=200)
async def create_status(request: Request[Any, Any, Any], permit: Permit, services: Services) -> Status:
    """Post. With an `Idempotency-Key` that was used within the hour: the post that it made then."""
    asked = await parse(request, CreateStatus)
    draft = _draft(asked, request, permit.viewer)
    answered: Visible[Post | Thread] | None = None
    if asked.in_reply_to_id not in (None, ""):
        async with services.database.read() as read:
            answered = await _thread(read, services, permit.viewer, str(asked.in_reply_to_id))
    made = await services.gate.act(permit, lambda acting: actions.create_post(acting, draft, answered))
    async with services.database.read() as read:
        return await _present(read, services, permit.viewer, await queries.by_id(read, made.id))


@get(PATH, opt=serves(Serves.ANYONE, scope=_READ))
async def list_statuses(request: Request[Any, Any, Any], viewer: Viewer, services: Services) -> list[Status]:
    """The posts of `id[]` that the viewer may see."""
    asked = [value for name, value in request.query_params.multi_items() if name in ("id[]", "id")]
    ids = [entity_id(text) for text in asked[:IDS_MAX]]
    async with services.database.read() as read:
        return await load_statuses.statuses(read, services, viewer, await queries.by_ids(read, ids))


@get(f"{PATH}/{{status_id:str}}", opt=serves(Serves.ANYONE, scope=_READ))
async def show_status(status_id: str, viewer: Viewer, services: Services) -> Status:
    """A post by id."""
    async with services.database.read() as read:
        return await _present(read, services, viewer, await queries.by_id(read, entity_id(status_id)))


@delete(f"{PATH}/{{status_id:str}}", opt=serves(Serves.SIGNED_IN, Action.DELETE_POST, _WRITE), status_code=200)
async def delete_status(status_id: str, permit: Permit, services: Services) -> DeletedStatus:
    """Delete one's own post; its text and media come back, so that it can be written anew."""
    async with services.database.read() as read:
        kept = await queries.by_id(read, entity_id(status_id))
        shown = await _present(read, services, permit.viewer, kept)
    deleted = await services.gate.act(permit, lambda acting: actions.delete_post(acting, int(shown.id)))
    return DeletedStatus(**msgspec.structs.asdict(shown), text=deleted.source)


@get(f"{PATH}/{{status_id:str}}/context", opt=serves(Serves.ANYONE, scope=_READ))
async def show_context(status_id: str, viewer: Viewer, services: Services) -> Context:
    """The thread around a post, bounded: the nearest ancestors, and descendants level by level."""
    async with services.database.read() as read:
        item = (await _thread(read, services, viewer, status_id)).item
        around = item.root if isinstance(item, Thread) else item
        above = await queries.ancestor_ids(read, around)
        below = threaded(around.id, await queries.descendant_ids(read, around))
        posts = await queries.by_ids(read, [*above, *below])
        shown = await load_statuses.statuses(read, services, viewer, posts)
    ancestors = set(map(str, above))
    return Context(
        ancestors=[one for one in shown if one.id in ancestors],
        descendants=[one for one in shown if one.id not in ancestors],
    )


def threaded(root_id: int, answers: list[tuple[int, int]]) -> list[int]:
    """(id, id of what it answers) as a list of ids: each post is followed by its own replies, the oldest first."""
    below: dict[int, list[int]] = {}
    for id_, answered_id in sorted(answers, reverse=True):
        below.setdefault(answered_id, []).append(id_)
    order: list[int] = []
    waiting = below.pop(root_id, [])
    while waiting:
        id_ = waiting.pop()
        order.append(id_)
        waiting += below.pop(id_, [])
    return order


def _draft(asked: CreateStatus, request: Request[Any, Any, Any], viewer: Viewer) -> Draft:
    """Raises Refused 422 for what this server can't do: it says so instead of leaving it out."""
    for given, sentence in (
        (asked.poll, "This server has no polls yet."),
        (asked.scheduled_at, "This server can't post later yet."),
        (asked.quoted_status_id, "This server has no quotes yet."),
    ):
        if given:
            raise Refused("not_supported", sentence, status=422)
    try:
        visibility = Visibility(asked.visibility or Visibility.PUBLIC)
    except ValueError as error:
        raise _invalid("Visibility is public, unlisted, private or direct") from error
    return Draft(
        source=asked.status or "",
        visibility=visibility,
        spoiler_text=asked.spoiler_text or "",
        sensitive=asked.sensitive or False,
        language=asked.language or None,
        media_ids=tuple(_media_id(media_id) for media_id in asked.media_ids or []),
        idempotency_key=request.headers.get("idempotency-key") or None,
        application_id=viewer.application_id,
    )


def _media_id(given: str | int) -> int:
    try:
        return entity_id(str(given))
    except Refused as refusal:
        raise _invalid("A media file does not exist") from refusal


def _invalid(what: str) -> Refused:
    return Refused("validation_failed", f"Validation failed: {what}", status=422)


async def _thread(read: Read, services: Services, viewer: Viewer, status_id: str) -> Visible[Post | Thread]:
    """A post, or where that may not be seen but announces a Space that may: the Space's conversation."""
    found = await queries.by_id(read, entity_id(status_id))
    announced = await spaces.by_id(read, found.space_id) if found is not None and found.space_id else None
    if found is None or announced is None:
        return await services.gate.admit_one(read, viewer, found, "Record")
    either: list[Post | Thread] = [found, Thread(found, announced.gate_facts())]
    admitted = await services.gate.admit(read, viewer, either)
    return admitted[0] if admitted else await services.gate.admit_one(read, viewer, found, "Record")


async def _present(read: Read, services: Services, viewer: Viewer, found: Post | None) -> Status:
    shown = await load_statuses.status(read, services, viewer, found)
    if shown is None:
        raise Refused("not_found", "Record not found", status=404)
    return shown


HANDLERS: list[Any] = [create_status, list_statuses, show_status, delete_status, show_context]
