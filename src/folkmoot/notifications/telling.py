"""Makes notifications of events, in the worker. What an event or a job tells, and that it was told, is one
transaction: a process that dies in between has told nobody, and one that dies after it tells nobody again.

Where it is told to many, the first are told in that transaction, and the rest by jobs of as many each: on SQLite
nobody else writes as long as one lasts.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

import msgspec

from folkmoot.accounts.relations.following import ACCOUNT_FOLLOWED, ACCOUNT_UNFOLLOWED
from folkmoot.gate import Acting, Action, Gate, Subject, shown_to_others, subjects
from folkmoot.gate import Kind as Thing
from folkmoot.gate import queries as gate_queries
from folkmoot.gate.standings import is_hidden
from folkmoot.notifications import actions
from folkmoot.notifications.model import SOON_MS, SPACES, Kind, News
from folkmoot.notifications.push.actions import send_to
from folkmoot.notifications.sources import SOURCES, of_space
from folkmoot.posts import queries as posts
from folkmoot.posts.actions import POST_DELETED
from folkmoot.posts.boosts import POST_UNBOOSTED
from folkmoot.posts.marks.actions import POST_UNFAVOURITED
from folkmoot.spaces import queries as spaces
from folkmoot.spaces.actions import SPACE_CHANGED
from folkmoot.spaces.model import Space, SpaceState
from folkmoot.storage.events import Event, keep_position
from folkmoot.storage.jobs import Job, enqueue, enqueue_all, finish
from folkmoot.storage.upserts import ROWS_PER_STATEMENT, batches

NAME = "notifications"
STARTING_SOON = "notifications.starting_soon"
TELL_MORE = "notifications.tell_more"
"""{"news": …, "to": […]}: what happened, and to whom it is still to be told."""
TOLD_AT_ONCE = ROWS_PER_STATEMENT
LOOK_AGAIN_MS = 60_000
_Undone = Callable[[Any], list[Any]]

_UNDONE: Mapping[str, _Undone] = {
    POST_DELETED: lambda payload: actions.of_post(int(payload["post"])),
    POST_UNBOOSTED: lambda payload: actions.of_doing(Kind.REBLOG, *_who_and_what(payload)),
    POST_UNFAVOURITED: lambda payload: actions.of_doing(Kind.FAVOURITE, *_who_and_what(payload)),
    ACCOUNT_FOLLOWED: lambda payload: actions.of_asking(int(payload["follower"]), int(payload["followed"])),
    ACCOUNT_UNFOLLOWED: lambda payload: actions.of_following(int(payload["account"]), int(payload["unfollowed"])),
}


class Telling:
    """One per server."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def on_event(self, event: Event) -> None:
        """Tell those whom an event concerns."""
        if event.kind in SOURCES or event.kind in _UNDONE:
            await self._act(lambda acting: _tell_of(acting, event))

    async def run_starting_soon(self, job: Job) -> None:
        """A Space begins soon, if nobody cancelled it. As long as it is shown to nobody, because it or its host is
        stopped, nobody is told, nor once it should have begun."""
        space_id = int(job.payload["space"])

        async def work(acting: Acting) -> None:
            space = await spaces.by_id(acting.tx, space_id)
            if space is None or not _holds(Kind.SPACE_STARTING_SOON, space, acting.now_ms):
                return
            if await _is_shown(acting, space):
                await _tell(acting, await of_space(acting.tx, space, Kind.SPACE_STARTING_SOON))
            else:
                await enqueue(acting.tx, STARTING_SOON, job.payload, run_at_ms=acting.now_ms + LOOK_AGAIN_MS)

        await self._act_once(job, work)

    async def run_tell_more(self, job: Job) -> None:
        """Some of the many to whom something is told, unless it is gone or over by now."""
        told = [{"account_id": account_id} | job.payload["news"] for account_id in job.payload["to"]]
        news = msgspec.convert(told, list[News], strict=False)

        async def work(acting: Acting) -> None:
            if await _is_still_news(acting, news[0]):
                await _tell(acting, news)

        await self._act_once(job, work)

    async def missed(self) -> None:
        """Events are gone that nobody was told of. What is too old to be an event is too old to be news."""

    async def _act_once(self, job: Job, work: Callable[[Acting], Awaitable[None]]) -> None:
        async def unless_done(acting: Acting) -> None:
            if await finish(acting.tx, job):
                await work(acting)

        await self._act(unless_done)

    async def _act(self, work: Callable[[Acting], Awaitable[None]]) -> None:
        await self._gate.act(self._gate.permit_system(Action.READ, "worker: notifications"), work)


async def _tell_of(acting: Acting, event: Event) -> None:
    if event.kind in SOURCES:
        await _tell(acting, list(await SOURCES[event.kind](acting.tx, event.payload)))
    if event.kind in _UNDONE:
        await actions.withdraw(acting, *_UNDONE[event.kind](event.payload))
    if event.kind == SPACE_CHANGED:
        await _remember_to_tell(acting, event.payload)
    await keep_position(acting.tx, NAME, event)


async def _tell(acting: Acting, news: Sequence[News]) -> None:
    await send_to(acting, await actions.tell(acting, news[:TOLD_AT_ONCE]))
    later = sorted(news[TOLD_AT_ONCE:], key=lambda one: one.key)
    more = [
        {"news": some[0].about, "to": [str(one.account_id) for one in some]}
        for _, alike in groupby(later, lambda one: one.key)
        for some in batches(list(alike))
    ]
    await enqueue_all(acting.tx, TELL_MORE, [(NAME, payload) for payload in more])


async def _is_still_news(acting: Acting, one: News) -> bool:
    if one.post_id is not None and await posts.by_id(acting.tx, one.post_id) is None:
        return False
    if one.kind not in SPACES or one.about_id is None:
        return True
    space = await spaces.by_id(acting.tx, one.about_id)
    return space is not None and _holds(one.kind, space, acting.now_ms) and await _is_shown(acting, space)


def _holds(kind: Kind, space: Space, now_ms: int) -> bool:
    """Whether what is told of a Space is so."""
    if kind is Kind.SPACE_STARTING_SOON:
        is_ahead = space.scheduled_at_ms is not None and space.scheduled_at_ms > now_ms
        return space.state is SpaceState.SCHEDULED and is_ahead
    return kind is not Kind.SPACE_LIVE or space.state is SpaceState.LIVE


async def _is_shown(acting: Acting, space: Space) -> bool:
    subject = Subject(Thing.SPACE, space.id)
    removed = is_hidden(Thing.SPACE, (await subjects.held(acting.tx, [subject]))[subject].standing)
    host = (await gate_queries.standings_of(acting.tx, [space.host_id]))[space.host_id]
    return not removed and shown_to_others(host)


async def _remember_to_tell(acting: Acting, payload: Any) -> None:
    if all(change["change"] != "created" for change in payload["changes"]):
        return
    space = await spaces.by_id(acting.tx, int(payload["space"]))
    if space is not None and space.scheduled_at_ms is not None and space.scheduled_at_ms > acting.now_ms:
        at_ms = max(acting.now_ms, space.scheduled_at_ms - SOON_MS)
        await enqueue(acting.tx, STARTING_SOON, {"space": str(space.id)}, run_at_ms=at_ms)


def _who_and_what(payload: Any) -> tuple[int, int]:
    return int(payload["account"]), int(payload["post"])
