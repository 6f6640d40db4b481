"""`bench standing`: a thousand accounts that hold all kinds of things are suspended at once; then a host whom
thousands hear."""

import asyncio
import multiprocessing
import socket
import struct
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from folkmoot.accounts import actions as accounts
from folkmoot.bench.holders import Kind, Over, Wanted, run_holders, since_ms
from folkmoot.bench.load import forked
from folkmoot.bench.machine import this_machine
from folkmoot.bench.report import Report, Result, at_most, beside, command_line, exactly, shown
from folkmoot.bench.server import Server, running_server
from folkmoot.gate import Acting, Action, Gate, Role
from folkmoot.moderation import actions as moderation
from folkmoot.storage.database import Database
from folkmoot.storage.doorbell import Doorbell

CLOSED_P99_MS = 500.0
SPACES = "/api/folkmoot/v1/spaces"
# Of the accounts so many hold this besides their stream: what one Space, one stage and one process take.
FOLLOWERS, PLAYERS, TOKENS, SEATS, PEERS = 300, 100, 20, 3, 5
HELD = (Kind.STREAM, Kind.EVENTS, Kind.PLAYLIST, Kind.TOKEN, Kind.SEAT, Kind.WHEP)
SLOT = 61
HASH_OF_NOTHING = "none"  # no password has it: these sign in by token
_READY_WITHIN_S = 60.0
_ANSWER_WITHIN_S = 30.0
_RESET = struct.pack("ii", 1, 0)

_forking = multiprocessing.get_context("fork")
Say = Callable[[str], None]
Done = TypeVar("Done")


class StandingFailed(Exception):
    """It could not be measured. The message is a sentence."""


class Suspended(msgspec.Struct, frozen=True):
    """One decision: how long its transaction took, and when everything of each kind was over."""

    transaction_ms: float
    committed_s: float
    over: list[Over]

    def p99_ms(self, kinds: Sequence[Kind]) -> float | None:
        """None where something is still open."""
        found = since_ms((one for one in self.over if one.kind in kinds), self.committed_s)
        worst = float(np.percentile(found, 99, method="higher")) if found else float("inf")
        return worst if worst != float("inf") else None


def run_standing(count: int, listeners: int, say: Say) -> Report:
    """`count` accounts suspended in one transaction, then a host with `listeners`. Raises StandingFailed."""
    started_at, machine = datetime.now(UTC), this_machine()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="folkmoot-bench-")))
        server = stack.enter_context(running_server(folder))
        say("A server has started; accounts are made.")
        evening = _Evening(server, count, listeners)
        plain = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=4096))
        wanted = evening.wanted(f"tcp://127.0.0.1:{plain.getsockname()[1]}")
        orders, theirs = _forking.Pipe()
        stack.enter_context(forked(partial(run_holders, server.base_url, wanted, theirs)))
        theirs.close()
        say(f"{len(wanted)} connections are opened.")
        _receive(orders, _READY_WITHIN_S)
        say(f"{count} accounts are suspended, then a host to whom {listeners} listen.")
        many = evening.suspend(evening.ids, HELD, orders)
        host = evening.suspend([evening.host_id], (Kind.AUDIENCE,), orders)
        floor = _close_plainly(plain, count, orders)
        orders.send(None)
    return Report(
        bench="standing",
        command=command_line(),
        machine=machine,
        started_at=started_at.isoformat(timespec="seconds"),
        results=_results(many, host, floor),
        notes=[
            f"{len(wanted)} connections of one process beside the server on the same machine. Each of {count} "
            f"accounts has a stream; {FOLLOWERS} follow the Space, {PLAYERS} wait for an HLS playlist, {SEATS} are "
            f"on stage, {PEERS} listen by WHEP, {TOKENS} try their token; {listeners} listen to one host.",
            "Times are from the commit to the moment at which the other side saw the end. floor_p99_ms: as many "
            "sockets, closed one after another by a loop of three lines.",
        ],
    )


def _results(many: Suspended, host: Suspended, floor: Suspended) -> list[Result]:
    bare = shown("floor_p99_ms", floor.p99_ms([Kind.PLAIN]), "ms")
    everything = Suspended(0, many.committed_s, [*many.over, *_moved(host, many.committed_s)])
    closed = at_most("closed_p99_ms", everything.p99_ms([*HELD, Kind.AUDIENCE]), "ms", CLOSED_P99_MS)
    return [
        beside(closed, bare),
        *(at_most(f"{kind}_p99_ms", many.p99_ms([kind]), "ms", CLOSED_P99_MS) for kind in HELD),
        at_most("audience_p99_ms", host.p99_ms([Kind.AUDIENCE]), "ms", CLOSED_P99_MS),
        exactly("open_yet", sum(one.open_yet for one in everything.over), "", 0),
        bare,
        shown("decide_all_ms", many.transaction_ms, "ms"),
        shown("decide_one_ms", host.transaction_ms, "ms"),
    ]


def _moved(decision: Suspended, committed_s: float) -> list[Over]:
    """As if it had been committed then."""
    by_s = committed_s - decision.committed_s
    return [msgspec.structs.replace(one, at_s=[at_s + by_s for at_s in one.at_s]) for one in decision.over]


class _Evening:
    """Two live Spaces: one in which the accounts take part, and one of the host with the many listeners."""

    def __init__(self, server: Server, count: int, listeners: int) -> None:
        self._server = server
        self._listeners = listeners
        self.ids, self._tokens = asyncio.run(_in_database(server, partial(_make_accounts, count=count + 2)))
        self._spaces = [
            str(server.call("POST", SPACES, token, {"title": "Bench", "start": True})["id"])
            for token in self._tokens[:2]
        ]
        self.host_id = self.ids[1]
        for number in range(2, 2 + SEATS):
            commands = f"{SPACES}/{self._spaces[0]}/commands"
            server.call("POST", commands, self._tokens[number], {"do": "ask", "recording_consent": True})
            server.call("POST", commands, self._tokens[0], {"do": "let_up", "account": str(self.ids[number])})
        self.ids, self._tokens = self.ids[2:], self._tokens[2:]

    def wanted(self, plain: str) -> list[Wanted]:
        space, of_host = (f"{SPACES}/{space_id}" for space_id in self._spaces)
        tokens = self._tokens
        self._wait_for_sound(f"{space}/hls/aac/live.m3u8")
        # The streams of events last: each change, and every seat is one, makes a picture for each of them.
        return [
            *(Wanted(Kind.STREAM, f"{space}/listen?codec=opus", token) for token in tokens),
            *(Wanted(Kind.AUDIENCE, f"{of_host}/listen?codec=opus") for _ in range(self._listeners)),
            *(Wanted(Kind.SEAT, f"{space}/whip", token) for token in tokens[:SEATS]),
            *(Wanted(Kind.WHEP, f"{space}/whep", token) for token in tokens[SEATS : SEATS + PEERS]),
            *(Wanted(Kind.PLAYLIST, f"{space}/hls/aac/live.m3u8", token) for token in tokens[:PLAYERS]),
            *(Wanted(Kind.TOKEN, "/api/v1/accounts/verify_credentials", token) for token in tokens[:TOKENS]),
            *(Wanted(Kind.PLAIN, plain) for _ in tokens),
            *(Wanted(Kind.EVENTS, f"{space}/events", token) for token in tokens[-FOLLOWERS:]),
        ]

    def suspend(self, account_ids: Sequence[int], kinds: Sequence[Kind], orders: Connection) -> Suspended:
        """Decide about them in one transaction, and wait for what they held."""
        began_s, committed_s = asyncio.run(_in_database(self._server, partial(_suspend, account_ids=account_ids)))
        return _over((committed_s - began_s) * 1000, committed_s, kinds, orders)

    def _wait_for_sound(self, playlist: str) -> None:
        """The playlist comes with the first segment."""
        give_up_s = time.monotonic() + _ANSWER_WITHIN_S
        while self._server.first_answer(playlist) != 200:
            if time.monotonic() > give_up_s:
                raise StandingFailed(f"There was nothing to hear within {_ANSWER_WITHIN_S:g} s.")
            time.sleep(0.2)


def _close_plainly(listening: socket.socket, count: int, orders: Connection) -> Suspended:
    """The floor: as many sockets, reset by nothing but a loop."""
    held = [listening.accept()[0] for _ in range(count)]
    began_s = time.monotonic()
    for one in held:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        one.close()
    return _over(0.0, began_s, [Kind.PLAIN], orders)


def _over(transaction_ms: float, since_s: float, kinds: Sequence[Kind], orders: Connection) -> Suspended:
    orders.send(list(kinds))
    return Suspended(transaction_ms, since_s, _receive(orders, _ANSWER_WITHIN_S * len(kinds)))


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


async def _suspend(gate: Gate, *, account_ids: Sequence[int]) -> tuple[float, float]:
    """When (monotonic, s) it began and when it was committed."""

    async def work(acting: Acting) -> None:
        for account_id in account_ids:
            await moderation.suspend(acting, account_id, reason="a benchmark")

    began_s = time.monotonic()
    await gate.act(gate.permit_system(Action.MODERATE, "bench"), work)
    return began_s, time.monotonic()
