"""What happened to an account has consequences in Spaces: whoever may take part no more leaves the stage.

Connections end by their leases, without this: here a Space's own state follows, so that nobody sees a seat that
nobody holds, and a Space without its host is somebody else's, or over.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

import structlog

from folkmoot.accounts.relations.actions import ACCOUNT_BLOCKED
from folkmoot.accounts.relations.following import ACCOUNT_UNFOLLOWED
from folkmoot.gate import Acting, Action, Gate, Role
from folkmoot.gate import queries as gate_queries
from folkmoot.gate.actions import STANDING_CHANGED, revoke
from folkmoot.gate.model import Stamp, Standing, account_of, account_subject, audience_subject
from folkmoot.gate.standings import may
from folkmoot.gate.window import Told, Window
from folkmoot.spaces import actions as spaces
from folkmoot.spaces import commands as c
from folkmoot.spaces import queries
from folkmoot.storage.database import Database
from folkmoot.storage.events import Event

log = structlog.get_logger(__name__)
SWEEP_EVERY_S = 1.0
WHOLE_EVERY_SWEEPS = 60


class Consequences:
    """In the worker: at once by events; by a sweep if one was lost."""

    def __init__(self, gate: Gate, database: Database) -> None:
        self._gate = gate
        self._database = database
        self._window = Window()
        self._told = Told()
        self._latest_ms = 0

    async def on_event(self, event: Event) -> None:
        if event.kind == STANDING_CHANGED and not _takes_part(event.payload["after"]):
            await self._standing_lost(int(event.payload["account"]))
        elif event.kind == ACCOUNT_BLOCKED:
            account_id, blocked_id = int(event.payload["account"]), int(event.payload["blocked"])
            await self._shut_out_of(account_id, blocked_id)
            await self._shut_out_of(blocked_id, account_id)
        elif event.kind == ACCOUNT_UNFOLLOWED:
            await self._shut_out_of(int(event.payload["account"]), int(event.payload["unfollowed"]))

    async def catch_up(self) -> None:
        """Events were missed for longer than they are kept. Who listens to a live Space, nobody knows here: all of
        them are asked anew by having to join again; whoever is a member is looked at."""
        await self.sweep_whole()
        async with self._database.read() as read:
            live = await queries.by_ids(read, await queries.live_ids(read))
        for space in live:
            await self._act(partial(_revoke_audience, space_id=space.id))
            for account_id in space.members:
                await self._act(partial(_shut_out, space_id=space.id, account_id=account_id))

    async def keep_sweeping(self) -> None:
        """Until cancelled: first everybody in live Spaces, then whoever lost something lately."""
        sweeps = 0
        while True:
            try:
                await (self.sweep_whole() if sweeps % WHOLE_EVERY_SWEEPS == 0 else self.sweep())
                sweeps += 1
            except Exception:
                # A database that is away: it is asked again.
                log.exception("consequences.sweep_failed")
            await asyncio.sleep(SWEEP_EVERY_S)

    async def sweep(self) -> None:
        """Once: the accounts whose counter was raised lately, told or not, and those whose suspension was over by a
        clock that has stepped back."""
        async with self._database.read() as read:
            raised = self._told.news(await gate_queries.raised_since(read, self._window.since_ms(read.now_ms)))
            self._window.answered(read.now_ms)
            now_ms = read.now_ms
            again = await gate_queries.under_again(read, self._latest_ms)
        for account_id in again:
            await self._act(partial(_end_if_lost, account_id=account_id))
        self._latest_ms = now_ms
        accounts = {account_of([Stamp(subject, counter)]) for subject, counter in raised.items()}
        await self._look_at([*again, *(account_id for account_id in accounts if account_id is not None)])

    async def sweep_whole(self) -> None:
        """Once: everybody who has a part in a live Space."""
        async with self._database.read() as read:
            live = await queries.by_ids(read, await queries.live_ids(read))
        await self._look_at(account_id for space in live for account_id in space.members)

    async def _look_at(self, account_ids: Iterable[int]) -> None:
        standings: dict[int, Standing] = {}
        async with self._database.read() as read:
            for batch in gate_queries.batches(sorted(set(account_ids))):
                standings |= await gate_queries.standings_of(read, batch)
        for account_id, standing in standings.items():
            if not _takes_part(standing):
                await self._standing_lost(account_id)

    async def _standing_lost(self, account_id: int) -> None:
        """Off every stage that the account is on. The connection itself has ended already, by its lease."""
        async with self._database.read() as read:
            space_ids = await queries.live_ids_with(read, account_id)
        for space_id in space_ids:
            await self._act(partial(_off_if_lost, space_id=space_id, account_id=account_id))

    async def _shut_out_of(self, host_id: int, account_id: int) -> None:
        """Whom a block or an unfollow keeps out of a host's Spaces is off the stage and hears no more."""
        async with self._database.read() as read:
            space_ids = await queries.open_ids_hosted_by(read, host_id)
        for space_id in space_ids:
            await self._act(partial(_shut_out, space_id=space_id, account_id=account_id))

    async def _act(self, work: Callable[[Acting], Awaitable[None]]) -> None:
        await self._gate.act(self._gate.permit_system(Action.MODERATE, "worker: what happened to an account"), work)


async def _end_if_lost(acting: Acting, *, account_id: int) -> None:
    """What somebody opened while the clock said that their suspension was over."""
    now = (await gate_queries.standings_of(acting.tx, [account_id]))[account_id]
    if not _takes_part(now):
        await revoke(acting, account_subject(account_id))


async def _off_if_lost(acting: Acting, *, space_id: int, account_id: int) -> None:
    """As things are now: the event may be an hour old, and somebody let back in on stage again."""
    now = (await gate_queries.standings_of(acting.tx, [account_id]))[account_id]
    space = await queries.by_id(acting.tx, space_id)
    if space is not None and not _takes_part(now):
        await spaces.leave_out_lost(acting, space)
        await spaces.observe(acting, space_id, c.StandingLost(account_id))


async def _shut_out(acting: Acting, *, space_id: int, account_id: int) -> None:
    await spaces.shut_out(acting, space_id, account_id)


async def _revoke_audience(acting: Acting, *, space_id: int) -> None:
    await revoke(acting, audience_subject(space_id))


def _takes_part(standing: str) -> bool:
    return may(Standing(standing), Role.MEMBER, Action.TAKE_PART)
