"""Mastodon's methods for polls: https://docs.joinmastodon.org/methods/polls/."""

from typing import Any

import msgspec
from litestar import Request, get, post

from folkmoot.gate import Action, Permit, Refused, Serves, Viewer, invalid
from folkmoot.posts import polls, queries
from folkmoot.posts.model import Post
from folkmoot.storage.database import Read
from folkmoot.surfaces.http import parse, serves
from folkmoot.surfaces.mastodon import load_statuses
from folkmoot.surfaces.mastodon.paging import entity_id
from folkmoot.surfaces.mastodon.poll_entities import Poll
from folkmoot.surfaces.services import Services

PATH = "/api/v1/polls/{poll_id:str}"


class Vote(msgspec.Struct):
    """The numbers of options, from 0."""

    choices: list[str | int]


@get(PATH, opt=serves(Serves.ANYONE, scope="read:statuses"))
async def show_poll(poll_id: str, viewer: Viewer, services: Services) -> Poll:
    """A poll, where the viewer may see its post."""
    async with services.database.read() as read:
        return await _present(read, services, viewer, await _post(read, poll_id))


@post(f"{PATH}/votes", opt=serves(Serves.SIGNED_IN, Action.MARK, "write:statuses"), status_code=200)
async def vote(request: Request[Any, Any, Any], poll_id: str, permit: Permit, services: Services) -> Poll:
    """Choose, once and for good. Returns the poll."""
    asked = await parse(request, Vote)
    choices = [_choice(given) for given in asked.choices]
    async with services.database.read() as read:
        shown = await services.gate.admit_one(read, permit.viewer, await _post(read, poll_id), "Poll")
    await services.gate.act(permit, lambda acting: polls.vote(acting, shown, choices))
    async with services.database.read() as read:
        return await _present(read, services, permit.viewer, await _post(read, poll_id))


async def _post(read: Read, poll_id: str) -> Post | None:
    post_id = await polls.post_id_of(read, entity_id(poll_id))
    return await queries.by_id(read, post_id) if post_id is not None else None


async def _present(read: Read, services: Services, viewer: Viewer, found: Post | None) -> Poll:
    shown = await load_statuses.status(read, services, viewer, found)
    if shown is None or shown.poll is None:
        raise Refused("not_found", "Record not found", status=404)
    return shown.poll


def _choice(given: str | int) -> int:
    try:
        return int(given)
    except ValueError as error:
        raise invalid("The chosen vote option does not exist") from error


HANDLERS: list[Any] = [show_poll, vote]
