"""Our own API for Spaces: make, look up, steer, join, and follow what changes."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from litestar import Request, get, post
from litestar.params import Parameter, QueryParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage

from folkmoot.gate import Action, Permit, Refused, Serves, Stamp, Viewer, invalid
from folkmoot.gate.model import audience_subject, member_subject, space_subject
from folkmoot.posts import queries as posts
from folkmoot.spaces import actions, queries
from folkmoot.spaces import commands as c
from folkmoot.spaces.model import Draft, SpaceState
from folkmoot.storage.database import Read
from folkmoot.surfaces.browser import browser_shown
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.spaces import load, schema, tickets
from folkmoot.surfaces.spaces.hub import AWAY, CHANGED, COUNTS, END, HEARTBEAT, STAGE
from folkmoot.surfaces.times import parse_time
from folkmoot.surfaces.under_way import hold

SPACES = "/api/folkmoot/v1/spaces"
REACTIONS = frozenset(["👏", "❤️", "😂", "🔥", "👍", "😮", "😢", "🎉"])
NOTICES = {
    "tape_full": (
        "The server's disk is full: the stage goes on, but listeners hear nothing and nothing is recorded."
    ),
    "tape_ok": "There is room on the server's disk again: listeners hear you, and the recording goes on.",
}
LIST_MAX = 40
IDS_MAX = 100

Limit = Annotated[int, Parameter(ge=1, le=LIST_MAX)]


@post(SPACES, opt=serves(Serves.SIGNED_IN, Action.OPEN_SPACE, "write:statuses"))
async def create_space(data: schema.CreateSpace, permit: Permit, services: Services) -> schema.Space:
    """Make a Space: scheduled, or live at once with `start`. A post of its host announces it."""
    draft = Draft(
        title=data.title,
        topics=tuple(data.topics),
        language=data.language or "en",
        audience=data.audience,
        speak_policy=data.speak_policy,
        recorded=data.recorded,
        scheduled_at_ms=parse_time(data.scheduled_at, "scheduled_at") if data.scheduled_at else None,
    )
    invited = [_id(text) for text in data.invited]
    page_url = f"{services.site.base_url}/spaces"

    async def work(acting: Any) -> int:
        space = await actions.create(acting, draft, page_url=page_url, invited=invited)
        if data.start:
            await actions.require_room(acting, services.why_no_room)
            await actions.command(acting, space.id, c.Start())
        return space.id

    return await _present(services, permit.viewer, await services.gate.act(permit, work))


@get(SPACES, opt=serves(Serves.ANYONE, scope="read:statuses"))
async def list_spaces(
    viewer: Viewer,
    services: Services,
    ids: str | None = None,
    creator: str | None = None,
    in_state: Annotated[SpaceState | None, QueryParameter(name="state")] = None,
    limit: Limit = 20,
    max_id: str | None = None,
) -> list[schema.Space]:
    """Look Spaces up: by `ids` (comma-separated), or by `creator`, `state` or both; the newest first."""
    older_than = _id(max_id) if max_id else None
    async with services.database.read() as read:
        if ids is not None:
            found = [_id(text) for text in ids.split(",")[:IDS_MAX]]
        elif creator is not None:
            found = await queries.ids_by_creator(read, _id(creator), state=in_state, limit=limit, max_id=older_than)
        else:
            wanted = in_state or SpaceState.LIVE
            found = await queries.ids_by_state(read, wanted, limit=limit, max_id=older_than)
        return await load.present_all(read, services, viewer, found, public=ids is None and creator is None)


@get(SPACES + "/{space_id:int}", opt=serves(Serves.ANYONE, scope="read:statuses"))
async def get_space(space_id: int, viewer: Viewer, services: Services) -> schema.Space:
    """One Space, as the viewer may see it now."""
    return await _present(services, viewer, space_id)


@post(
    SPACES + "/{space_id:int}/commands",
    opt=serves(Serves.SIGNED_IN, Action.TAKE_PART, "write:statuses"),
    status_code=200,
)
async def command_space(space_id: int, data: c.Command, permit: Permit, services: Services) -> schema.Space:
    """Tell the Space to do something: `{"do": "ask"}`, `{"do": "let_up", "account": "1234"}`, …"""
    async with services.database.read() as read:
        space = (await load.visible(read, services, permit.viewer, space_id)).item
        # Who may not pin is told that by the rules, and nothing of the post.
        if isinstance(data, c.Pin) and space.member(permit.viewer.id).role.commands:
            pinned = await posts.by_id(read, data.post_id)
            await services.gate.admit_one(read, permit.viewer, pinned, "Post")

    async def work(acting: Any) -> None:
        if isinstance(data, c.Start):
            await actions.require_room(acting, services.why_no_room)
        await actions.command(acting, space_id, data)

    await services.gate.act(permit, work)
    return await _present(services, permit.viewer, space_id)


@post(SPACES + "/{space_id:int}/join", opt=serves(Serves.ANYONE, Action.LISTEN, "read:statuses"), status_code=200)
async def join_space(
    space_id: int, viewer: Viewer, services: Services, request: Request[Any, Any, Any]
) -> schema.Join:
    """What it takes to listen. Whoever is signed in gets a ticket, for players that can't send a cookie."""
    browser = browser_shown(request.cookies, services)
    async with services.database.read() as read:
        space = (await load.for_listening(read, services, viewer, space_id, browser)).item
        if space.state is not SpaceState.LIVE:
            raise Refused("not_live", "This Space is not live.", status=409)
        stamps = await listener_stamps(read, services, viewer, space_id)
        now_ms = read.now_ms
    ticket = None
    if viewer.account_id is not None:
        ticket = tickets.issue(services.ticket_key, tickets.Ticket(space_id, stamps), now_ms)
    base = f"{services.site.base_url}{SPACES}/{space_id}"
    return schema.Join(
        ticket,
        f"{base}/listen",
        f"{base}/hls/index.m3u8",
        [schema.IceServer([one.url], one.username, one.credential) for one in services.ice_servers(viewer)],
    )


async def listener_stamps(read: Read, services: Services, viewer: Viewer, space_id: int) -> tuple[Stamp, ...]:
    """What a listener's connection hangs on: the Space and its audience, and for somebody signed in the account and
    membership."""
    subjects = [space_subject(space_id), audience_subject(space_id)]
    if viewer.account_id is not None:
        subjects.append(member_subject(space_id, viewer.account_id))
    return await services.gate.stamps(read, viewer, subjects)


@post(
    SPACES + "/{space_id:int}/reactions",
    opt=serves(Serves.SIGNED_IN, Action.TAKE_PART, "write:favourites"),
    status_code=202,
)
async def react(space_id: int, data: schema.Reaction, viewer: Viewer, services: Services) -> None:
    """React with one of a few emoji: counted into the totals that travel with the sound."""
    if data.emoji not in REACTIONS:
        raise Refused("unknown_reaction", f"React with one of {' '.join(sorted(REACTIONS))}.", status=422)
    async with services.database.read() as read:
        space = (await load.for_listening(read, services, viewer, space_id)).item
    if space.state is not SpaceState.LIVE:
        raise Refused("not_live", "This Space is not live.", status=409)
    await services.stages.react(space_id, data.emoji)


@get(
    SPACES + "/{space_id:int}/events",
    opt=serves(Serves.SIGNED_IN, Action.LISTEN, "read:statuses"),
    media_type="text/event-stream",
)
async def follow_space(
    space_id: int, viewer: Viewer, services: Services, request: Request[Any, Any, Any]
) -> ServerSentEvent:
    """Server-sent events: `space` at each change, `counts`, `stage`, `notice`, `end`."""
    async with services.database.read() as read:
        member = (await load.visible(read, services, viewer, space_id)).item.member(viewer.id)
        stamps = await listener_stamps(read, services, viewer, space_id)
    takes_part = member.on_stage or member.asking or member.invited_as is not None or member.role.commands
    # Here, where it can still be an answer; counted when the stream begins.
    services.hub.require_room(space_id, viewer.id, takes_part=takes_part)
    hold(request, stamps)  # beside the stream's own: whoever doesn't read is not told of the end, but cut off
    return ServerSentEvent(_stream(services, viewer, space_id, stamps))


async def _stream(
    services: Services, viewer: Viewer, space_id: int, stamps: tuple[Stamp, ...]
) -> AsyncIterator[ServerSentEventMessage]:
    inbox = services.hub.subscribe(space_id, viewer.id)
    try:
        lease = services.leases.hold(stamps, lambda _subject: inbox.end())
    except Refused:
        services.hub.unsubscribe(space_id, inbox)
        raise
    try:
        if services.stages.generation(space_id) is not None:
            inbox.notice(STAGE)
        word = CHANGED
        while word not in (END, AWAY):
            message = await _message(services, viewer, space_id, word)
            if message is None:
                break
            yield message
            word = await inbox.next_word()
        if word != AWAY:
            yield ServerSentEventMessage(event="end", data='{"reason": "The right to follow this has ended."}')
    finally:
        lease.release()
        services.hub.unsubscribe(space_id, inbox)


async def _message(services: Services, viewer: Viewer, space_id: int, word: str) -> ServerSentEventMessage | None:
    if word == HEARTBEAT:
        return ServerSentEventMessage(comment="still here")
    if word == COUNTS:
        counts = {
            "listeners": services.listening.counts().get(space_id, 0),
            "listeners_estimated": services.listening.estimated().get(space_id, 0),
            "reactions": dict(services.stages.reactions(space_id)),
        }
        return ServerSentEventMessage(event="counts", data=msgspec.json.encode(counts).decode())
    if word == STAGE:
        generation = {"generation": services.stages.generation(space_id)}
        return ServerSentEventMessage(event="stage", data=msgspec.json.encode(generation).decode())
    if word != CHANGED:
        notice = {"code": word, "sentence": NOTICES[word]}
        return ServerSentEventMessage(event="notice", data=msgspec.json.encode(notice).decode())
    try:
        space = await _present(services, viewer, space_id)
    except Refused:
        return None
    return ServerSentEventMessage(event="space", data=msgspec.json.encode(space).decode())


async def _present(services: Services, viewer: Viewer, space_id: int) -> schema.Space:
    async with services.database.read() as read:
        return await load.present_one(read, services, viewer, space_id)


def _id(text: str) -> int:
    try:
        return c.read_id(text)
    except ValueError as error:
        raise invalid(str(error)) from error


HANDLERS = [
    create_space,
    list_spaces,
    get_space,
    command_space,
    join_space,
    react,
    follow_space,
]
