"""`bench standing`: a host whom tens of thousands hear is suspended; then a thousand accounts by one command, which
hold all kinds of things."""

import asyncio
import multiprocessing
import socket
import struct
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from folkmoot.accounts import actions as accounts
from folkmoot.audience.fanout import LATENESS_MS
from folkmoot.bench.audience_load import Listeners
from folkmoot.bench.crowd import SPACES, crowd, settings_for, wait_for_sound
from folkmoot.bench.holders import Kind, Order, Over, Wanted, run_holders, since_ms
from folkmoot.bench.load import forked
from folkmoot.bench.machine import this_machine
from folkmoot.bench.removal import Removed, remove_one
from folkmoot.bench.report import Report, Result, at_most, beside, command_line, exactly, shown
from folkmoot.bench.server import Server, ask, running_server
from folkmoot.gate import Acting, Action, Gate, Role
from folkmoot.moderation import actions as moderation
from folkmoot.moderation.many import decide_about
from folkmoot.moderation.spaces.actions import suspend_host
from folkmoot.storage.database import Database
from folkmoot.storage.doorbell import Doorbell

CLOSED_P99_MS = 500.0
# Of the accounts so many hold this besides their stream: what one Space, one stage and one process take.
FOLLOWERS, PLAYERS, TOKENS, SEATS, PEERS = 300, 100, 20, 3, 5
# Ticks of other Spaces may begin so late while a crowd is closed.
TICK_LATE_P99_MS = 20.0
_WATCHED_S = 1.5
OTHERS, OTHERS_FROM_ADDRESS = 200, 5_000
HELD = (Kind.STREAM, Kind.EVENTS, Kind.PLAYLIST, Kind.TOKEN, Kind.SEAT, Kind.WHEP)
SLOT = 61
HASH_OF_NOTHING = "none"  # no password has it: these sign in by token
_READY_WITHIN_S = 60.0
_OVER_WITHIN_S = 10.0
_DECIDED_WITHIN_S = 60.0
_RESET = struct.pack("ii", 1, 0)

_forking = multiprocessing.get_context("fork")
Say = Callable[[str], None]
Done = TypeVar("Done")


class Closed(msgspec.Struct, frozen=True):
    """What became of a host's crowd: how long the transaction took, when connections ended, and how late others'
    ticks began meanwhile (99% began earlier than this)."""

    transaction_ms: float
    p99_ms: float | None
    last_ms: float
    open_yet: int
    tick_late_p99_ms: float | None


class StandingFailed(Exception):
    """It could not be measured. The message is a sentence."""


class Suspended(msgspec.Struct, frozen=True):
    """Decisions: how long all of them took, when (monotonic, s) the one about each account was committed, and when
    everything of each kind was over."""

    decided_ms: float
    committed_s: Mapping[int, float]
    over: list[Over]

    def p99_ms(self, kinds: Sequence[Kind]) -> float | None:
        """None where something is still open."""
        found = since_ms((one for one in self.over if one.kind in kinds), self.committed_s)
        worst = float(np.percentile(found, 99, method="higher")) if found else float("inf")
        return worst if worst != float("inf") else None


def run_standing(count: int, listeners: int, say: Say, *, ends: bool = False) -> Report:
    """A host with `listeners` suspended, then `count` accounts by one command, in short transactions.

    `ends`: the host is not suspended but ends the Space.
    Raises StandingFailed, AudienceFailed.
    """
    started_at, machine = datetime.now(UTC), this_machine()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="folkmoot-bench-")))
        server = stack.enter_context(running_server(folder, **settings_for(listeners)))
        say("A server has started; accounts are made.")
        evening = _Evening(server, count, listeners)
        say(f"{listeners} listeners join; then their host {'ends the Space' if ends else 'is suspended'}.")
        removed, host = _close_crowd(evening, folder, ends=ends)
        plain = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=4096))
        wanted = evening.wanted(f"tcp://127.0.0.1:{plain.getsockname()[1]}")
        orders, theirs = _forking.Pipe()
        stack.enter_context(forked(partial(run_holders, server.base_url, wanted, theirs)))
        theirs.close()
        say(f"{len(wanted)} connections are opened.")
        _receive(orders, _READY_WITHIN_S)
        say(f"{count} accounts are suspended.")
        many = evening.suspend(HELD, orders)
        floor = _close_plainly(plain, count, orders)
        orders.send(None)
    return Report(
        bench="standing",
        command=command_line(),
        machine=machine,
        started_at=started_at.isoformat(timespec="seconds"),
        results=[*_results(many, host, floor), *removal_results(removed)],
        notes=[
            f"{len(wanted)} connections of one process beside the server on the same machine. Each of {count} "
            f"accounts has a stream; {FOLLOWERS} follow the Space, {PLAYERS} wait for an HLS playlist, {SEATS} are "
            f"on stage, {PEERS} listen by WHEP, {TOKENS} try their token.",
            f"Before them, {listeners} of a compiled generator listen to one host and {OTHERS} to the other Space: "
            "with both loads at once and their generators this machine has nothing left.",
            "Times are from the commit of what was decided about an account to the moment at which the other side "
            "saw the end of what it held. floor_p99_ms: as many sockets, closed one after another by a loop of "
            "three lines. others_tick_late_p99_ms: how late writes to the other Space began while the host's "
            "listeners were closed, rounded up.",
            "removed_ms: one more listener, with an account, is removed by the host while all listen; from the "
            "request to the moment at which the connection was seen to have ended. The others are watched on.",
        ],
    )


def _close_crowd(evening: "_Evening", folder: Path, *, ends: bool) -> tuple[Removed, Closed]:
    """One of the host's crowd, then all of it, beside others in the other Space."""
    (folder / "others").mkdir()
    with (
        evening.crowd_of(evening.space_ids[0], OTHERS, folder / "others", OTHERS_FROM_ADDRESS),
        evening.crowd_of(evening.space_ids[1], evening.listeners, folder) as listening,
    ):
        removed = evening.remove_one(listening)
        return removed, evening.close_crowd(listening, evening.end_space if ends else evening.suspend_host)


def _results(many: Suspended, host: Closed, floor: Suspended) -> list[Result]:
    bare = shown("floor_p99_ms", floor.p99_ms([Kind.PLAIN]), "ms")
    held_p99_ms = many.p99_ms(HELD)
    both = [p99_ms for p99_ms in (held_p99_ms, host.p99_ms) if p99_ms is not None]
    closed = at_most("closed_p99_ms", max(both) if len(both) == 2 else None, "ms", CLOSED_P99_MS)
    return [
        beside(closed, bare),
        *(at_most(f"{kind}_p99_ms", many.p99_ms([kind]), "ms", CLOSED_P99_MS) for kind in HELD),
        at_most("audience_p99_ms", host.p99_ms, "ms", CLOSED_P99_MS),
        at_most("audience_last_ms", host.last_ms, "ms", CLOSED_P99_MS),
        at_most("others_tick_late_p99_ms", host.tick_late_p99_ms, "ms", TICK_LATE_P99_MS),
        exactly("open_yet", sum(one.open_yet for one in many.over) + host.open_yet, "", 0),
        bare,
        shown("decide_all_ms", many.decided_ms, "ms"),
        shown("decide_one_ms", host.transaction_ms, "ms"),
    ]


def removal_results(removed: Removed) -> list[Result]:
    """What becomes of one who is removed, and of all others."""
    return [
        at_most("removed_ms", removed.after_ms, "ms", CLOSED_P99_MS),
        exactly("removed_others_missed", removed.others_missed + removed.others_corrupted, "", 0),
        exactly("removed_others_cut_off", removed.others_cut_off, "", 0),
    ]


class _Evening:
    """Two live Spaces: one in which the accounts take part, and one of the host with the many listeners."""

    def __init__(self, server: Server, count: int, listeners: int) -> None:
        self._server = server
        self.listeners = listeners
        self.ids, self._tokens = asyncio.run(_in_database(server, partial(_make_accounts, count=count + 2)))
        self._spaces = [
            str(server.call("POST", SPACES, token, {"title": "Bench", "start": True})["id"])
            for token in self._tokens[:2]
        ]
        self.host_id = self.ids[1]
        self.space_ids = [int(space_id) for space_id in self._spaces]
        self._host_token = self._tokens[1]
        server.admin("create", "watcher", "--role", "moderator", "--password", "-a-long-password-")
        self._watcher = server.admin("token", "watcher").split()[-1]
        for number in range(2, 2 + SEATS):
            commands = f"{SPACES}/{self._spaces[0]}/commands"
            server.call("POST", commands, self._tokens[number], {"do": "ask", "recording_consent": True})
            server.call("POST", commands, self._tokens[0], {"do": "let_up", "account": str(self.ids[number])})
        self.ids, self._tokens = self.ids[2:], self._tokens[2:]

    def wanted(self, plain: str) -> list[Wanted]:
        space, all_ = f"{SPACES}/{self._spaces[0]}", slice(None)
        # The streams of events last: each change, and every seat is one, makes a picture for each of them.
        held = [
            (Kind.STREAM, f"{space}/listen?codec=opus", all_),
            (Kind.SEAT, f"{space}/whip", slice(SEATS)),
            (Kind.WHEP, f"{space}/whep", slice(SEATS, SEATS + PEERS)),
            (Kind.PLAYLIST, f"{space}/hls/aac/live.m3u8", slice(PLAYERS)),
            (Kind.TOKEN, "/api/v1/accounts/verify_credentials", slice(TOKENS)),
            (Kind.PLAIN, plain, all_),
            (Kind.EVENTS, f"{space}/events", slice(-FOLLOWERS, None)),
        ]
        holders = list(zip(self.ids, self._tokens, strict=True))
        return [
            Wanted(kind, path, None if kind is Kind.PLAIN else token, account_id)
            for kind, path, some in held
            for account_id, token in holders[some]
        ]

    def suspend(self, kinds: Sequence[Kind], orders: Connection) -> Suspended:
        """Decide about the accounts as `folkmoot admin suspend` does, and wait for what they held."""
        orders.send(Order(list(kinds), _DECIDED_WITHIN_S + _OVER_WITHIN_S))
        began_s = time.monotonic()
        committed_s = asyncio.run(_in_database(self._server, partial(_suspend_many, account_ids=self.ids)))
        decided_ms = (max(committed_s.values()) - began_s) * 1000
        return Suspended(decided_ms, committed_s, _receive(orders, _DECIDED_WITHIN_S + 2 * _OVER_WITHIN_S))

    def crowd_of(
        self, space_id: int, listeners: int, folder: Path, first_address: int = 0
    ) -> AbstractContextManager[Listeners]:
        wait_for_sound(self._server, f"{SPACES}/{space_id}")
        return crowd(self._server, space_id, listeners, folder, first_address)

    def suspend_host(self) -> tuple[float, float]:
        """When (monotonic, s) the transaction began and was committed."""
        return asyncio.run(_in_database(self._server, partial(_suspend, account_ids=[self.host_id])))

    def end_space(self) -> tuple[float, float]:
        """When the request was made, twice: when it was committed is not seen from here."""
        began_s = time.monotonic()
        self._server.call("POST", f"{SPACES}/{self.space_ids[1]}/commands", self._host_token, {"do": "end"})
        return began_s, began_s

    def remove_one(self, listening: Listeners) -> Removed:
        """Have the last of the accounts, who is suspended later, removed from the host's Space."""
        last = self.ids[-1], self._tokens[-1]
        return remove_one(self._server, self.space_ids[1], self._host_token, last, listening)

    def close_crowd(self, listening: Listeners, close: Callable[[], tuple[float, float]]) -> Closed:
        """Have the crowd's right end, and wait for its end."""
        late_before = self._ticks_late()
        marked_ns = time.monotonic_ns()
        listening.mark(marked_ns)
        began_s, committed_s = close()
        time.sleep(_WATCHED_S)
        heard, before_ms = listening.report(), (committed_s * 1e9 - marked_ns) / 1e6
        late = [after - before for after, before in zip(self._ticks_late(), late_before, strict=True)]
        return Closed(
            transaction_ms=(committed_s - began_s) * 1000,
            p99_ms=heard.closing.p99_ms - before_ms if heard.closing.p99_ms is not None else None,
            last_ms=heard.closing.max_ms - before_ms,
            open_yet=self.listeners - heard.closing.count,
            tick_late_p99_ms=_p99_bound_ms(late),
        )

    def _ticks_late(self) -> list[float]:
        """How many ticks began later than nothing, 1 ms, 2 ms …, the last without a bound, since the start."""
        status, body = ask(self._server.base_url, "GET", "/metrics", token=self._watcher)
        if status != 200:
            raise StandingFailed(f"/metrics answered {status}.")
        running = [
            float(line.rpartition(" ")[2])
            for line in body.decode().splitlines()
            if line.startswith("folkmoot_audience_tick_late_seconds_bucket")
        ]
        return [running[0], *(after - before for before, after in pairwise(running))]


def _p99_bound_ms(counts: Sequence[float]) -> float | None:
    """The bound that 99 of 100 lie within; None without any, or where they are later than all."""
    passed = 0.0
    for bound_ms, count in zip(LATENESS_MS, counts, strict=False):
        passed += count
        if passed and passed >= 0.99 * sum(counts):
            return float(bound_ms)
    return None


def _close_plainly(listening: socket.socket, count: int, orders: Connection) -> Suspended:
    """The floor: as many sockets, reset by nothing but a loop."""
    held = [listening.accept()[0] for _ in range(count)]
    began_s = time.monotonic()
    for one in held:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        one.close()
    orders.send(Order([Kind.PLAIN], _OVER_WITHIN_S))
    return Suspended(0.0, defaultdict(lambda: began_s), _receive(orders, 2 * _OVER_WITHIN_S))


def _receive(orders: Connection, within_s: float) -> list[Over]:
    try:
        if not orders.poll(within_s):
            raise StandingFailed(f"The connections did not answer within {within_s:g} s.")
        sent: list[Over] = orders.recv()
        return sent
    except EOFError as error:
        raise StandingFailed("Not everything could be opened: the error is above.") from error


async def _in_database(server: Server, work: Callable[[Gate], Awaitable[Done]]) -> Done:
    """Run something beside the server, as a program of its operator would."""
    ring = Doorbell(server.data / "run" / "doorbells").ring
    database = Database(f"sqlite+aiosqlite:///{server.data}/folkmoot.db", slot=SLOT, ring=ring)
    try:
        return await work(Gate(database))
    finally:
        await database.close()


async def _make_accounts(gate: Gate, *, count: int) -> tuple[list[int], list[str]]:
    """Ids and tokens."""

    async def work(acting: Acting) -> tuple[list[int], list[str]]:
        new = [accounts.NewAccount(f"bench{number}", password_hash=HASH_OF_NOTHING) for number in range(count)]
        ids = [await accounts.create_account(acting, one, Role.MEMBER) for one in new]
        return ids, [await accounts.issue_token(acting, id_, accounts.SESSION_SCOPES) for id_ in ids]

    return await gate.act(gate.permit_system(Action.MODERATE, "bench"), work)


async def _suspend_many(gate: Gate, *, account_ids: Sequence[int]) -> dict[int, float]:
    """When (monotonic, s) each was committed."""
    permit = gate.permit_system(Action.MODERATE, "bench")
    decide = partial(suspend_host, reason="a benchmark")
    committed_s: dict[int, float] = {}
    async for batch in decide_about(gate, permit, account_ids, decide):
        committed_s |= dict.fromkeys(batch.decided, time.monotonic())
    return committed_s


async def _suspend(gate: Gate, *, account_ids: Sequence[int]) -> tuple[float, float]:
    """When (monotonic, s) it began and when it was committed."""

    async def work(acting: Acting) -> None:
        for account_id in account_ids:
            await moderation.suspend(acting, account_id, reason="a benchmark")

    began_s = time.monotonic()
    await gate.act(gate.permit_system(Action.MODERATE, "bench"), work)
    return began_s, time.monotonic()
