"""`bench api`: what clients ask for all day, on a square with ten thousand posts and on one with a million."""

import asyncio
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import event

from folkmoot.bench import api_data
from folkmoot.bench.api_load import Answered, ApiFailed, asked, floor
from folkmoot.bench.api_streams import TRUSTED, Streamed, streamed
from folkmoot.bench.audience_load import compiled
from folkmoot.bench.machine import this_machine
from folkmoot.bench.processes import CpuMeter, pss_mb
from folkmoot.bench.report import Report, Result, at_most, beside, command_line, shown
from folkmoot.bench.server import Server, ask, running_server
from folkmoot.serve.places import places
from folkmoot.serve.web import WebProcess
from folkmoot.settings import Settings

FEW, MANY = 10_000, 1_000_000
QUERIES_MAX, GROWTH_MAX = 12, 1.2
STREAM_P99_MS = 500.0
STREAMS_MAX, POSTS_HEARD = 10_000, 5
CLIENTS, SECONDS = 16, 8
WARMING = 20
_ALONE_SECONDS = 4
HOME, INSTANCE = "/api/v1/timelines/home", "/api/v2/instance"
Say = Callable[[str], None]


class Measured(msgspec.Struct, frozen=True):
    """A path under load, and the floor that answers its bytes."""

    ours: Answered
    server_cores: float
    floor: Answered


def run_api(posts: int, accounts: int, database: str, say: Say) -> Report:
    """`database` is an address as in the settings, empty for SQLite. Raises ApiFailed, NotEmpty, ServerFailed,
    AudienceFailed."""
    started_at, machine = datetime.now(UTC), this_machine()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="folkmoot-bench-")))
        program = compiled("api_load", folder, "-pthread")
        url = database or f"sqlite+aiosqlite:///{folder}/folkmoot.db"
        say(f"{accounts} accounts, who follow {api_data.FOLLOWED} each, and {FEW} posts are written.")
        square = api_data.begin(url, accounts, time.time_ns() // 1_000_000)
        tokens = [api_data.token_of(number) for number in range(min(api_data.READERS, accounts))]
        few = min(FEW, posts)
        _grow(url, square, few)
        server = stack.enter_context(running_server(folder, database=url, trusted_proxies=TRUSTED))
        _warm(server, tokens)
        say(f"Home is asked for with {few} posts.")
        at_few = _alone(program, server, tokens)
        say(f"Posts are written until there are {posts}.")
        written_s = _grow(url, square, posts)
        say(f"Home is asked for with {posts} posts; then by {CLIENTS} clients; then what the server is.")
        at_many = _alone(program, server, tokens)
        home = _under_load(program, server, HOME, tokens)
        instance = _under_load(program, server, INSTANCE, [])
        memory_mb = pss_mb(server.pids())
        say("Whoever follows the herald has a stream open, and the herald posts.")
        heard = _heard(server, accounts)
        queries = asyncio.run(_statements(folder, url, tokens[0]))
    growth = shown_or_held(posts, at_many.p50_ms / at_few.p50_ms)
    return Report(
        bench="api",
        command=command_line(),
        machine=machine,
        started_at=started_at.isoformat(timespec="seconds"),
        results=[
            at_most("home_queries", queries, "statements", QUERIES_MAX),
            growth,
            shown("home_p50_ms", at_many.p50_ms, "ms"),
            shown("home_p50_few_ms", at_few.p50_ms, "ms"),
            *_results("home", home),
            *_results("instance", instance),
            at_most("stream_p99_ms", heard.p99_ms if not heard.missed else None, "ms", STREAM_P99_MS),
            shown("stream_p50_ms", heard.p50_ms, "ms"),
            shown("server_memory_mb", memory_mb, "MiB"),
            shown("posts_written_s", written_s, "s"),
        ],
        notes=_notes(posts, accounts, url, home, instance, heard),
    )


def shown_or_held(posts: int, growth: float) -> Result:
    """The figure with a reach is the one at a million; with fewer posts it is only shown."""
    if posts >= MANY:
        return at_most("home_p50_growth_1m", growth, "×", GROWTH_MAX)
    return shown("home_p50_growth", growth, "×")


def _grow(url: str, square: api_data.Square, posts: int) -> float:
    """The seconds that it took."""
    began_s = time.monotonic()
    api_data.write_posts(url, square, posts)
    api_data.settle(url)
    return time.monotonic() - began_s


def _warm(server: Server, tokens: Sequence[str]) -> None:
    """A server that has just started reads what it keeps, and a database prepares what it is asked often."""
    for token in tokens[:WARMING]:
        status, _ = ask(server.base_url, "GET", HOME, token=token)
        if status != 200:
            raise ApiFailed(f"GET {HOME} answered {status}.")


def _alone(program: Path, server: Server, tokens: Sequence[str]) -> Answered:
    """One client, so that what is measured is a page and no queue."""
    return asked(program, server.port, HOME, tokens, clients=1, seconds=_ALONE_SECONDS)


def _under_load(program: Path, server: Server, path: str, tokens: Sequence[str]) -> Measured:
    meter = CpuMeter(server.pids)
    ours = asked(program, server.port, path, tokens, clients=CLIENTS, seconds=SECONDS)
    cores = meter.cores()
    status, body = ask(server.base_url, "GET", path, token=tokens[0] if tokens else "")
    if status != 200:
        raise ApiFailed(f"GET {path} answered {status}.")
    with floor(body) as port:
        least = asked(program, port, path, tokens, clients=CLIENTS, seconds=max(2, SECONDS // 3))
    return Measured(ours, cores, least)


def _heard(server: Server, accounts: int) -> Streamed:
    """The herald is account 0, whom everybody follows."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    followers = [api_data.token_of(number) for number in range(1, min(STREAMS_MAX + 1, accounts))]
    return streamed(server.base_url, api_data.token_of(0), followers, POSTS_HEARD)


def _results(name: str, measured: Measured) -> list[Result]:
    least = shown(f"{name}_floor_per_s", measured.floor.per_s, "1/s")
    return [
        beside(shown(f"{name}_per_s", measured.ours.per_s, "1/s"), least),
        shown(f"{name}_p99_ms", measured.ours.p99_ms, "ms"),
        shown(f"{name}_server_cores", measured.server_cores, "cores"),
        shown(f"{name}_generator_cores", measured.ours.generator_cores, "cores"),
        least,
    ]


async def _statements(folder: Path, url: str, token: str) -> int:
    """How many statements one page of home is, from the token to the answer, by the application itself."""
    settings = Settings(data=str(folder / "counting"), database=url)
    where = places(settings)
    where.make()
    app = WebProcess(settings, where, "http://127.0.0.1").build()
    database = app.state.equipment.services.database
    counted: list[str] = []
    await _ask_app(app, token)  # what a process reads once is read
    event.listen(database.engine.sync_engine, "before_cursor_execute", lambda *what: counted.append(what[2]))
    await _ask_app(app, token)
    await database.close()
    return len(counted)


async def _ask_app(app: Any, token: str) -> None:
    """Raises ApiFailed where it doesn't answer 200."""
    statuses: list[int] = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": HOME,
        "raw_path": HOME.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1"), (b"authorization", f"Bearer {token}".encode())],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "extensions": {},
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope, receive, send)
    if statuses != [200]:
        raise ApiFailed(f"The application answered {statuses} to GET {HOME}.")


def _notes(posts: int, accounts: int, url: str, home: Measured, instance: Measured, heard: Streamed) -> list[str]:
    kind = "SQLite" if url.startswith("sqlite") else "PostgreSQL"
    return [
        f"{kind}; {posts} posts of {accounts} accounts, pages of 20 for {api_data.READERS} people who follow "
        f"{api_data.FOLLOWED} at random: boosts, replies, polls, quotes, files and tags among them. "
        f"{home.ours.bytes // max(1, home.ours.answered)} bytes a page.",
        f"One web process; {CLIENTS} clients of a compiled generator beside it on the same machine, which took "
        f"{home.ours.generator_cores:.2f} cores for home and {instance.ours.generator_cores:.2f} for the instance. "
        "p50 by one client alone. The floor is uvicorn with the same bytes and nothing behind it.",
        f"{heard.streams} followers with a WebSocket each, opened in {heard.opened_s:.0f} s, heard {heard.posts} "
        f"posts; {heard.missed} were missed. Reading took a process beside it {heard.cpu_s:.1f} CPU seconds.",
    ]
