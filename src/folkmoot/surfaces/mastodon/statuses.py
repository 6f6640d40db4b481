"""Mastodon's methods for posts: https://docs.joinmastodon.org/methods/statuses/."""

from collections.abc import Collection
from typing import Any

import msgspec
from litestar import Request, delete, get, post

from folkmoot.accounts.profiles import queries as profiles
from folkmoot.clips.actions import delete_own_file
from folkmoot.gate import Acting, Action, Permit, Refused, Serves, Viewer, Visible
from folkmoot.posts import actions, queries, scheduled
from folkmoot.posts.model import Post, Thread
from folkmoot.spaces import threads
from folkmoot.storage.database import Read
from folkmoot.surfaces.http import parse, serves
from folkmoot.surfaces.mastodon import drafts, load_scheduled, load_statuses
from folkmoot.surfaces.mastodon.drafts import CreateStatus
from folkmoot.surfaces.mastodon.paging import entity_id, ids_asked_for, says
from folkmoot.surfaces.mastodon.scheduled_entities import ScheduledStatus
from folkmoot.surfaces.mastodon.status_entities import Context, DeletedStatus, Status
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.times import parse_time
from folkmoot.timelines.filters.model import Context as Filtering

PATH = "/api/v1/statuses"
IDS_MAX = 40
_WRITE = "write:statuses"
_READ = "read:statuses"


@post(PATH, opt=serves(Serves.SIGNED_IN, Action.POST, _WRITE), status_code=200)
async def create_status(
    request: Request[Any, Any, Any], permit: Permit, services: Services
) -> Status | ScheduledStatus:
    """Post, or have a post come at `scheduled_at`. With an `Idempotency-Key` that was used within the hour: what it
    made then."""
    asked = await parse(request, CreateStatus)
    async with services.database.read() as read:
        defaults = await profiles.defaults_of(read, permit.viewer.id)
        draft = drafts.draft(asked, request, permit.viewer, defaults, services.site)
        answered_id = draft.in_reply_to_id
        answered = await threads.admit(read, services.gate, permit.viewer, answered_id) if answered_id else None
        quoted = await _quoted(read, services, permit.viewer, draft.quoted_id)
    if asked.scheduled_at:
        at_ms = parse_time(asked.scheduled_at, "scheduled_at")
        made = await services.gate.act(permit, lambda acting: scheduled.schedule(acting, draft, at_ms, quoted))
    else:
        made = await services.gate.act(permit, lambda acting: actions.create_post(acting, draft, answered, quoted))
    async with services.database.read() as read:
        if isinstance(made, scheduled.Scheduled):
            return await load_scheduled.one(read, services, permit.viewer, made)
        return await present(read, services, permit.viewer, await queries.by_id(read, made.id))


@get(PATH, opt=serves(Serves.ANYONE, scope=_READ))
async def list_statuses(request: Request[Any, Any, Any], viewer: Viewer, services: Services) -> list[Status]:
    """The posts of `id[]` that the viewer may see, each once."""
    async with services.database.read() as read:
        found = await queries.by_ids(read, ids_asked_for(request, IDS_MAX))
        return await load_statuses.statuses(read, services, viewer, found)


@get(f"{PATH}/{{status_id:str}}", opt=serves(Serves.ANYONE, scope=_READ))
async def show_status(status_id: str, viewer: Viewer, services: Services) -> Status:
    """A post by id."""
    async with services.database.read() as read:
        return await present(read, services, viewer, await queries.by_id(read, entity_id(status_id)))


@delete(f"{PATH}/{{status_id:str}}", opt=serves(Serves.SIGNED_IN, Action.DELETE_POST, _WRITE), status_code=200)
async def delete_status(
    request: Request[Any, Any, Any], status_id: str, permit: Permit, services: Services
) -> DeletedStatus:
    """Delete one's own post; its text and media come back, so that it can be written anew within a day. With
    `delete_media` its files go at once."""
    async with services.database.read() as read:
        kept = await queries.by_id(read, entity_id(status_id))
        shown = await present(read, services, permit.viewer, kept)
    # Those that a boost shows are another post's.
    its_own = shown.media_attachments if shown.reblog is None else []
    gone = [int(one.id) for one in its_own] if says(request, "delete_media") else []

    async def work(acting: Acting) -> Post:
        deleted = await actions.delete_post(acting, int(shown.id))
        for media_id in gone:
            await delete_own_file(acting, media_id)
        return deleted

    deleted = await services.gate.act(permit, work)
    return DeletedStatus(**msgspec.structs.asdict(shown), text=deleted.source)


@get(f"{PATH}/{{status_id:str}}/context", opt=serves(Serves.ANYONE, scope=_READ))
async def show_context(status_id: str, viewer: Viewer, services: Services) -> Context:
    """The thread around a post, bounded: the nearest ancestors, and descendants level by level."""
    async with services.database.read() as read:
        item = (await threads.admit(read, services.gate, viewer, entity_id(status_id))).item
        around = item.root if isinstance(item, Thread) else item
        above = await queries.ancestor_ids(read, around)
        below = threaded(around.id, await queries.descendant_ids(read, around), {*above, around.id})
        posts = await queries.by_ids(read, [*above, *below])
        shown = await load_statuses.statuses(read, services, viewer, posts, Filtering.THREAD)
    ancestors = set(map(str, above))
    return Context(
        ancestors=[one for one in shown if one.id in ancestors],
        descendants=[one for one in shown if one.id not in ancestors],
    )


def threaded(root_id: int, answers: list[tuple[int, int]], besides: Collection[int] = ()) -> list[int]:
    """(id, id of what it answers) as a list of ids: each post is followed by its own replies, the oldest first.
    Each stands once, also where answers go in a circle, and those of `besides` not."""
    below: dict[int, list[int]] = {}
    for id_, answered_id in sorted(set(answers), reverse=True):
        below.setdefault(answered_id, []).append(id_)
    order: list[int] = []
    waiting = below.pop(root_id, [])
    while waiting:
        id_ = waiting.pop()
        order.append(id_)
        waiting += below.pop(id_, [])
    return [id_ for id_ in order if id_ not in besides]


async def _quoted(read: Read, services: Services, viewer: Viewer, post_id: int | None) -> Visible[Post] | None:
    if post_id is None:
        return None
    return await services.gate.admit_one(read, viewer, await queries.by_id(read, post_id), "Quoted post")


async def present(read: Read, services: Services, viewer: Viewer, found: Post | None) -> Status:
    """One post. Raises Refused 404 where the viewer may not see it."""
    shown = await load_statuses.status(read, services, viewer, found)
    if shown is None:
        raise Refused("not_found", "Record not found", status=404)
    return shown


HANDLERS: list[Any] = [create_status, list_statuses, show_status, delete_status, show_context]
