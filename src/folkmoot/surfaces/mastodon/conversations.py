"""Mastodon's methods for conversations, which are direct posts: https://docs.joinmastodon.org/methods/conversations/."""

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.handlers import HTTPRouteHandler

from folkmoot.accounts import queries as accounts
from folkmoot.accounts.model import Page
from folkmoot.gate import Action, Permit, Refused, Serves, Viewer
from folkmoot.posts import queries as posts
from folkmoot.posts.conversations import actions, model, queries
from folkmoot.posts.model import Post
from folkmoot.storage.database import Read
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.mastodon import entities, load_statuses, present
from folkmoot.surfaces.mastodon.filling import filled
from folkmoot.surfaces.mastodon.paging import entity_id, link_header, page
from folkmoot.surfaces.mastodon.status_entities import Status
from folkmoot.surfaces.services import Services

PATH = "/api/v1/conversations"
_WRITE = serves(Serves.SIGNED_IN, Action.READ, "write:conversations")


class Conversation(msgspec.Struct):
    """With whom (oneself, if with nobody else), and the newest post, if one may see it:
    https://docs.joinmastodon.org/entities/Conversation/."""

    id: str
    unread: bool
    accounts: list[entities.Account]
    last_status: Status | None


@get(PATH, opt=serves(Serves.SIGNED_IN, scope="read:statuses"))
async def list_conversations(
    request: Request[Any, Any, Any], viewer: Viewer, services: Services
) -> Response[list[Conversation]]:
    """One's direct posts by conversation, that with the newest post first. Cursors are ids of newest posts."""
    asked = page(request, limit=20, limit_max=40)
    last_ids: dict[int, int] = {}  # by the conversation's

    async def look(wanted: Page) -> tuple[list[int], list[Conversation]]:
        found = await queries.of_account(read, viewer.id, wanted)
        last_ids.update({one.id: one.last_post_id for one in found})
        return [one.last_post_id for one in found], await load(read, services, viewer, found)

    async with services.database.read() as read:
        found = await filled(asked, look, lambda one: last_ids[int(one.id)])
    headers = link_header(request, services.site.base_url, found.read_ids, asked.limit)
    return Response(found.shown, headers=headers)


def _marking(verb: str, what: str, *, unread: bool) -> HTTPRouteHandler:
    @post(f"{PATH}/{{conversation_id:str}}/{verb}", opt=_WRITE, status_code=200)
    async def handle(conversation_id: str, permit: Permit, services: Services) -> Conversation:
        id_ = entity_id(conversation_id)
        await services.gate.act(permit, lambda acting: actions.mark(acting, id_, unread=unread))
        async with services.database.read() as read:
            found = await queries.by_id(read, permit.viewer.id, id_)
            shown = await load(read, services, permit.viewer, [found] if found is not None else [])
        if not shown:
            raise Refused("not_found", "Record not found", status=404)
        return shown[0]

    handle.fn.__name__ = f"mark_conversation_{verb}"
    handle.fn.__doc__ = f"Mark a conversation as {what}. Returns it."
    return handle


@delete(f"{PATH}/{{conversation_id:str}}", opt=_WRITE, status_code=200)
async def remove_conversation(conversation_id: str, permit: Permit, services: Services) -> dict[str, str]:
    """Take a conversation off one's list, until somebody says more in it. No post is deleted."""
    await services.gate.act(permit, lambda acting: actions.remove(acting, entity_id(conversation_id)))
    return {}


async def load(
    read: Read, services: Services, viewer: Viewer, found: Sequence[model.Conversation]
) -> list[Conversation]:
    """Conversations of the viewer, with those of their people and posts that they may see. One in which they see
    nobody is left out."""
    last = {one.id: one for one in await posts.by_ids(read, [one.last_post_id for one in found])}
    shown = await load_statuses.statuses(read, services, viewer, list(last.values()))
    statuses = {int(one.id): one for one in shown}
    ids = {id_ for one in last.values() for id_ in _people(one, viewer)}
    admitted = await services.gate.admit(read, viewer, await accounts.by_ids(read, sorted(ids)))
    people = {one.item.id: present.account(one, services.site) for one in admitted}
    shown_with = {
        one.id: [people[id_] for id_ in _people(last[one.last_post_id], viewer) if id_ in people]
        for one in found
        if one.last_post_id in last
    }
    return [
        Conversation(str(one.id), one.unread, shown_with[one.id], statuses.get(one.last_post_id))
        for one in found
        if shown_with.get(one.id)
    ]


def _people(last: Post, viewer: Viewer) -> list[int]:
    """Nobody where the post is not for the viewer: whom it is for is no affair of theirs."""
    if viewer.id not in (last.account_id, *last.mentions):
        return []
    others = [id_ for id_ in dict.fromkeys((last.account_id, *last.mentions)) if id_ != viewer.id]
    return others or [viewer.id]


HANDLERS: list[Any] = [
    list_conversations,
    _marking("read", "read", unread=False),
    _marking("unread", "unread", unread=True),
    remove_conversation,
]
