"""`bench hls`: what a live Space's HLS costs the server behind nginx as a cache, with few players and with many."""

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from folkmoot.bench.audience_load import compiled
from folkmoot.bench.machine import this_machine
from folkmoot.bench.nginx import Nginx, hls_cache
from folkmoot.bench.processes import CpuMeter, pss_mb
from folkmoot.bench.report import Report, Result, at_most, beside, command_line, exactly, shown
from folkmoot.bench.server import Server, running_server

SPACES = "/api/folkmoot/v1/spaces"
ORIGIN_MORE_PER_S = 1.0
"""So many more requests a second may reach the server with many players than with few: the same, but for chance."""
DIRECT_PLAYERS = 50

_SOUND_WITHIN_S = 30.0
_SETTLES_S = 3.0
_GENERATOR_SLOW_S = 180.0

By = Literal["parts", "segments"]
Say = Callable[[str], None]


class HlsFailed(Exception):
    """It could not be measured. The message is a sentence."""


class Played(msgspec.Struct, frozen=True):
    """What the players noted. `media` are the parts or segments that came; `missed` were in no playlist any more.

    `spread`: how much later something came to a player than to the first of them all.
    """

    requests: int
    playlists: int
    media: int
    errors: int
    reconnects: int
    missed: int
    bytes: int
    spread_p50_ms: float
    spread_p99_ms: float


class Measured(msgspec.Struct, frozen=True):
    """One load. `origin_per_s` is what the server itself was asked."""

    players: int
    played: Played
    origin_per_s: float
    server_cores: float
    nginx_cores: float
    generator_cores: float
    nginx_memory_mb: float


class Evening:
    """A server with a live Space, and nginx in front of it. Made by `evening`."""

    def __init__(self, server: Server, nginx: Nginx, folder: Path, space_id: str, token: str) -> None:
        self.server = server
        self.token = token
        self.nginx = nginx
        self.space_id = space_id
        self._generator = compiled("hls_players", folder)
        self._path = f"{SPACES}/{space_id}/hls/shared/aac"

    def measure(self, players: int, seconds: float, by: By, *, direct: bool = False) -> Measured:
        """What so many players cost; `direct`: without the cache. Raises HlsFailed."""
        port = urlsplit(self.server.base_url).port if direct else self.nginx.port
        words = (port, self._path, players, seconds, _SETTLES_S, by)
        with subprocess.Popen([str(self._generator), *map(str, words)], stdout=subprocess.PIPE) as generator:
            try:
                return self._measure(generator, players, seconds)
            finally:
                generator.kill()

    def _measure(self, generator: "subprocess.Popen[bytes]", players: int, seconds: float) -> Measured:
        assert generator.stdout is not None
        if generator.stdout.readline() != b"measuring\n":
            raise HlsFailed("The players did not all begin to play: the error is above.")
        asked = len(self.nginx.origin_log())
        meters = [CpuMeter(pids) for pids in (self.server.pids, self.nginx.pids, lambda: [generator.pid])]
        # Not until the generator ends: what it used would be gone with it.
        time.sleep(seconds - 0.2)
        server_cores, nginx_cores, generator_cores = (meter.cores() for meter in meters)
        origin_per_s = (len(self.nginx.origin_log()) - asked) / (seconds - 0.2)
        memory_mb = pss_mb(self.nginx.pids())
        played = msgspec.json.decode(generator.communicate(timeout=_GENERATOR_SLOW_S)[0], type=Played)
        return Measured(players, played, origin_per_s, server_cores, nginx_cores, generator_cores, memory_mb)


@contextmanager
def evening(folder: Path) -> Iterator[Evening]:
    """A live Space with some seconds of sound."""
    with ExitStack() as stack:
        server = stack.enter_context(running_server(folder))
        nginx = stack.enter_context(
            hls_cache(folder, urlsplit(server.base_url).netloc.replace("localhost", "127.0.0.1"))
        )
        server.admin("create", "hana", "--password", "a long password of a bench")
        token = server.admin("token", "hana").split()[-1]
        space = server.call("POST", SPACES, token, {"title": "Bench", "start": True})
        path = f"{SPACES}/{space['id']}/hls/shared/aac/live.m3u8"
        give_up_s = time.monotonic() + _SOUND_WITHIN_S
        while server.first_answer(path) != 200:
            if time.monotonic() > give_up_s:
                raise HlsFailed(f"There was nothing to hear within {_SOUND_WITHIN_S:g} s.")
            time.sleep(0.2)
        yield Evening(server, nginx, folder, str(space["id"]), token)


def run_hls(few: int, many: int, seconds: float, say: Say) -> Report:
    """Few and many, by parts (blocking reloads five times a second) and by segments; then without the cache."""
    started_at, machine = datetime.now(UTC), this_machine()
    found: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="folkmoot-bench-") as folder, evening(Path(folder)) as bench:
        kinds: tuple[By, ...] = ("parts", "segments")
        for by in kinds:
            say(f"{few} players by {by}.")
            before = bench.measure(few, seconds, by)
            say(f"{many} players by {by}.")
            after = bench.measure(many, seconds, by)
            found += _results(by, before, after, seconds)
        say(f"{DIRECT_PLAYERS} players by parts without the cache.")
        found += _direct_results(bench.measure(DIRECT_PLAYERS, seconds, "parts", direct=True), seconds)
    return Report(
        bench="hls",
        command=command_line(),
        machine=machine,
        started_at=started_at.isoformat(timespec="seconds"),
        results=found,
        notes=[
            f"{few} and {many} players of one live Space behind nginx, {seconds:g} s each. By parts: each has a "
            "blocking reload and a part five times a second. By segments: once in four seconds.",
            "origin: requests that reached the server. spread: how much later something came to a player than to "
            "the first. Beyond what nginx carries here players by parts fall behind: the origin doesn't notice.",
        ],
    )


def _results(by: By, few: Measured, many: Measured, seconds: float) -> list[Result]:
    before = shown(f"{by}_origin_per_s_few", few.origin_per_s, "/s")
    after = beside(shown(f"{by}_origin_per_s", many.origin_per_s, "/s"), before)
    media_per_s = many.played.media / many.players / seconds
    return [
        before,
        after,
        at_most(f"{by}_origin_more_per_s", many.origin_per_s - few.origin_per_s, "/s", ORIGIN_MORE_PER_S),
        exactly(f"{by}_errors", few.played.errors + many.played.errors, "", 0),
        shown(f"{by}_per_player_per_s", media_per_s, "/s"),
        shown(f"{by}_spread_p99_ms_few", few.played.spread_p99_ms, "ms"),
        shown(f"{by}_spread_p50_ms", many.played.spread_p50_ms, "ms"),
        shown(f"{by}_spread_p99_ms", many.played.spread_p99_ms, "ms"),
        shown(f"{by}_kbit_s_each", many.played.bytes * 8 / 1000 / seconds / many.players, "kbit/s"),
        shown(f"{by}_requests", many.played.requests, ""),
        shown(f"{by}_server_cores", many.server_cores, "cores"),
        shown(f"{by}_nginx_cores", many.nginx_cores, "cores"),
        shown(f"{by}_nginx_memory_mb", many.nginx_memory_mb, "MB"),
        shown(f"{by}_generator_cores", many.generator_cores, "cores"),
    ]


def _direct_results(direct: Measured, seconds: float) -> list[Result]:
    return [
        shown("direct_players", direct.players, ""),
        shown("direct_cores", direct.server_cores, "cores"),
        shown("direct_spread_p99_ms", direct.played.spread_p99_ms, "ms"),
        shown("direct_ms_per_request", 1000 * direct.server_cores * seconds / (direct.played.requests or 1), "ms"),
    ]
