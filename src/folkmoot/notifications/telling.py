"""Makes notifications of events, in the worker. What an event tells, and that it was told, is one transaction: a
process that dies in between has told nobody, and one that dies after it tells nobody again."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from folkmoot.accounts.relations.following import ACCOUNT_FOLLOWED, ACCOUNT_UNFOLLOWED
from folkmoot.gate import Acting, Action, Gate, Subject, subjects
from folkmoot.gate import Kind as Thing
from folkmoot.gate.standings import is_hidden
from folkmoot.notifications import actions
from folkmoot.notifications.model import Kind
from folkmoot.notifications.push.actions import send_to
from folkmoot.notifications.sources import SOURCES, of_space
from folkmoot.posts.actions import POST_DELETED
from folkmoot.posts.boosts import POST_UNBOOSTED
from folkmoot.posts.marks.actions import POST_UNFAVOURITED
from folkmoot.spaces import queries as spaces
from folkmoot.spaces.actions import SPACE_CHANGED
from folkmoot.spaces.model import SpaceState
from folkmoot.storage.events import Event, keep_position
from folkmoot.storage.jobs import Job, enqueue

NAME = "notifications"
STARTING_SOON = "notifications.starting_soon"
SOON_MS = 600_000
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
        """A Space begins soon, if nobody cancelled it or took it down."""
        space_id = int(job.payload["space"])

        async def work(acting: Acting) -> None:
            space = await spaces.by_id(acting.tx, space_id)
            if (
                space is not None
                and space.state is SpaceState.SCHEDULED
                and not await _is_removed(acting, space_id)
            ):
                await _tell(acting, await of_space(acting.tx, space, Kind.SPACE_STARTING_SOON))

        await self._act(work)

    async def missed(self) -> None:
        """Events are gone that nobody was told of. What is too old to be an event is too old to be news."""

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


async def _tell(acting: Acting, news: Any) -> None:
    await send_to(acting, await actions.tell(acting, news))


async def _is_removed(acting: Acting, space_id: int) -> bool:
    subject = Subject(Thing.SPACE, space_id)
    return is_hidden(Thing.SPACE, (await subjects.held(acting.tx, [subject]))[subject].standing)


async def _remember_to_tell(acting: Acting, payload: Any) -> None:
    if all(change["change"] != "created" for change in payload["changes"]):
        return
    space = await spaces.by_id(acting.tx, int(payload["space"]))
    if space is not None and space.scheduled_at_ms is not None and space.scheduled_at_ms > acting.now_ms:
        at_ms = max(acting.now_ms, space.scheduled_at_ms - SOON_MS)
        await enqueue(acting.tx, STARTING_SOON, {"space": str(space.id)}, run_at_ms=at_ms)


def _who_and_what(payload: Any) -> tuple[int, int]:
    return int(payload["account"]), int(payload["post"])
