"""Mastodon's methods for editing posts: https://docs.joinmastodon.org/methods/statuses/#edit and below."""

from typing import Any

import msgspec
from litestar import Request, get, put

from folkmoot.gate import Acting, Action, Permit, Refused, Serves, Viewer
from folkmoot.moderation.reports import kept
from folkmoot.posts import edits, queries, quotes
from folkmoot.surfaces.http import parse, serves
from folkmoot.surfaces.mastodon import drafts, load_statuses
from folkmoot.surfaces.mastodon.edit_entities import StatusEdit, StatusSource
from folkmoot.surfaces.mastodon.media import focus_of
from folkmoot.surfaces.mastodon.paging import entity_id
from folkmoot.surfaces.mastodon.status_entities import Status
from folkmoot.surfaces.mastodon.statuses import present
from folkmoot.surfaces.services import Services

PATH = "/api/v1/statuses/{status_id:str}"
_READ = "read:statuses"


class Described(msgspec.Struct):
    """What is said of a file."""

    id: str | int
    description: str | None = None
    focus: str | None = None  # "x,y"


class EditStatus(drafts.Written):
    """A post as it is to be: what isn't sent is taken out of it."""

    media_attributes: list[Described] | None = None


@put(PATH, opt=serves(Serves.SIGNED_IN, Action.POST, "write:statuses"))
async def edit_status(
    request: Request[Any, Any, Any], status_id: str, permit: Permit, services: Services
) -> Status:
    """Say one's own post anew: text, warning, language, files and what is said of them, poll. Other options begin
    a poll anew."""
    asked = await parse(request, EditStatus)
    draft, id_ = drafts.words(asked, services.site), entity_id(status_id)
    described = {
        drafts.media_id(one.id): one.description
        for one in asked.media_attributes or []
        if one.description is not None
    }
    said = {drafts.media_id(one.id): focus_of(one.focus) for one in asked.media_attributes or []}
    in_view = {media_id: focus for media_id, focus in said.items() if focus is not None}
    policy = drafts.quote_policy(asked.quote_approval_policy) if asked.quote_approval_policy else None

    async def work(acting: Acting) -> None:
        await edits.edit(acting, id_, draft, described, in_view)
        await kept.keep_edited(acting, id_)
        if policy is not None:
            await quotes.set_policy(acting, id_, policy)

    await services.gate.act(permit, work)
    async with services.database.read() as read:
        return await present(read, services, permit.viewer, await queries.by_id(read, id_))


@get(f"{PATH}/history", opt=serves(Serves.ANYONE, scope=_READ))
async def show_history(status_id: str, viewer: Viewer, services: Services) -> list[StatusEdit]:
    """What a post said, the first first, the present last."""
    async with services.database.read() as read:
        found = await queries.by_id(read, entity_id(status_id))
        said = await load_statuses.history(read, services, viewer, found)
    if not said:
        raise Refused("not_found", "Record not found", status=404)
    return said


@get(f"{PATH}/source", opt=serves(Serves.SIGNED_IN, scope=_READ))
async def show_source(status_id: str, viewer: Viewer, services: Services) -> StatusSource:
    """A post's text as its author typed it."""
    async with services.database.read() as read:
        found = await queries.by_id(read, entity_id(status_id))
        shown = await present(read, services, viewer, found)
    return StatusSource(id=shown.id, text=found.source if found else "", spoiler_text=shown.spoiler_text)


HANDLERS: list[Any] = [edit_status, show_history, show_source]
