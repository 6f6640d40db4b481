"""`bench audience --peers`: the same listeners at Debian's icecast2, which internet radios use, and at ours, each
sent the same Ogg Opus, one after the other; then nginx, from which players fetch HLS, and the floor."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import msgspec

from folkmoot.bench import hls
from folkmoot.bench.audience import RATIO_TO_FLOOR, Plan, workshop
from folkmoot.bench.audience_door import HouseConfig
from folkmoot.bench.audience_load import AudienceFailed, compiled
from folkmoot.bench.audience_servers import live_tapes, running_house
from folkmoot.bench.audience_tapes import FIRST_SPACE
from folkmoot.bench.machine import this_machine
from folkmoot.bench.processes import CpuMeter, tree
from folkmoot.bench.report import Report, Result, at_most, beside, command_line, exactly, shown

PEER_LISTENERS_MAX = 5_000
"""Of 10,000 who came at a thousand a second, icecast2 let 9,542 in within a minute and a half."""
PARTS_PER_S = 10
_SETTLES_S = 3.0
_STARTS_WITHIN_S = 10.0
_PASSWORD = "of a bench"  # noqa: S105 - of a server that lives for a minute, on the loopback address
_ICECAST = """<icecast>
  <limits><clients>20000</clients><sources>1</sources><queue-size>524288</queue-size><burst-size>8192</burst-size></limits>
  <authentication><source-password>{password}</source-password><admin-password>{password}</admin-password></authentication>
  <hostname>localhost</hostname>
  <listen-socket><port>{port}</port><bind-address>127.0.0.1</bind-address></listen-socket>
  <paths><logdir>{folder}</logdir><webroot>{folder}</webroot><adminroot>{folder}</adminroot></paths>
  <logging><accesslog>-</accesslog><errorlog>error.log</errorlog><loglevel>1</loglevel></logging>
  <security><chroot>0</chroot>{owner}</security>
</icecast>
"""
_OWNER = "<changeowner><user>nobody</user><group>nogroup</group></changeowner>"

Say = Callable[[str], None]


class Taken(msgspec.Struct, frozen=True):
    """What the listeners took while it was measured. `pause_max_s`: the longest that any waited for more."""

    bytes: int
    ended: int
    pause_max_s: float


class Served(msgspec.Struct, frozen=True):
    """One server under the load. Cores of the server alone."""

    cores: float
    generator_cores: float
    taken: Taken


class Serving(Protocol):
    """A server that is sent listeners."""

    port: int

    def pids(self) -> list[int]:
        """Its processes."""


def run_peers(wanted: Plan, say: Say) -> Report:
    """Ours beside them all, with as many listeners as each of them can take. Raises AudienceFailed, HlsFailed."""
    started_at, machine = datetime.now(UTC), this_machine()
    listeners = min(wanted.listeners, PEER_LISTENERS_MAX)
    same = msgspec.structs.replace(wanted, listeners=listeners, spaces=1, never_reading=0, tls=0)
    with workshop(same) as shop:
        say(f"The floor, with {listeners} listeners.")
        floor = shop.measure_floor(say)
        say("Ours.")
        ours = shop.measure_house(say)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="folkmoot-bench-")))
        stack.enter_context(live_tapes(folder / "tapes", 1))
        takers = compiled("takers", folder)
        say("icecast2.")
        with running_icecast(folder, folder / "tapes") as icecast:
            at_icecast = _measure(takers, icecast, "/live.ogg", listeners, wanted.seconds)
        say("Ours, with the same Ogg.")
        with running_house(HouseConfig(str(folder), str(folder / "tapes"), same.workers, same.write_ms)) as house:
            path = f"/api/folkmoot/v1/spaces/{FIRST_SPACE}/live.ogg"
            at_ours = _measure(takers, house, path, listeners, wanted.seconds)
    say("nginx with HLS, by segments.")
    with tempfile.TemporaryDirectory(prefix="folkmoot-bench-") as again, hls.evening(Path(again)) as bench:
        players = bench.measure(listeners, wanted.seconds, "segments")
    found = _results(listeners, ours.cores, floor.cores, at_ours, at_icecast, players)
    notes = [
        f"{listeners} listeners of one Space, {same.write_ms} ms of sound in one of our writes, {wanted.seconds:g} "
        "s each, one after the other. us_a_part: the server's CPU for a tenth of a second to one listener.",
        "Beside the floor both send Opus in fMP4 and every byte is compared; beside icecast2 the same Ogg. "
        "nginx hands out segments of 4 s: forty parts in one answer, and four seconds later.",
    ]
    return Report(
        bench="audience",
        command=command_line(),
        machine=machine,
        started_at=started_at.isoformat(timespec="seconds"),
        results=found,
        notes=notes,
    )


def _results(
    listeners: int, ours: float, floor: float, at_ours: Served, at_icecast: Served, players: hls.Measured
) -> list[Result]:
    def part(name: str, cores: float) -> Result:
        return shown(name, 1e6 * cores / listeners / PARTS_PER_S, "µs")

    bare, icecast = part("floor_us_a_part", floor), part("icecast_us_a_part", at_icecast.cores)
    nginx = part("nginx_hls_us_a_part", players.nginx_cores)
    return [
        beside(part("server_us_a_part", ours), bare),
        at_most("ratio_to_c_floor", ours / floor, "", RATIO_TO_FLOOR),
        beside(part("server_ogg_us_a_part", at_ours.cores), icecast),
        at_most("ratio_to_icecast", at_ours.cores / at_icecast.cores, "", 1.0),
        at_most("ratio_to_nginx_hls", ours / players.nginx_cores, "", 1.0),
        exactly("ended", at_ours.taken.ended, "", 0),
        bare,
        icecast,
        nginx,
        shown("pause_max_s", at_ours.taken.pause_max_s, "s"),
        shown("icecast_pause_max_s", at_icecast.taken.pause_max_s, "s"),
        shown("icecast_ended", at_icecast.taken.ended, ""),
        shown("generator_cores", at_ours.generator_cores, "cores"),
    ]


def _measure(takers: Path, server: Serving, path: str, listeners: int, seconds: float) -> Served:
    words = [str(takers), str(server.port), path, str(listeners), str(seconds), str(_SETTLES_S)]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as generator:
        try:
            assert generator.stdout is not None
            if generator.stdout.readline() != b"measuring\n":
                raise AudienceFailed("The listeners did not all hear something: the error is above.")
            meters = [CpuMeter(server.pids), CpuMeter(lambda: [generator.pid])]
            time.sleep(seconds - 0.2)
            cores, generator_cores = (meter.cores() for meter in meters)
            return Served(cores, generator_cores, msgspec.json.decode(generator.communicate()[0], type=Taken))
        finally:
            generator.kill()


class Icecast:
    """A running icecast2 with a source. Made by `running_icecast`."""

    def __init__(self, port: int, pid: int) -> None:
        self.port = port
        self._pid = pid

    def pids(self) -> list[int]:
        """Its one process; what sends it the sound is not among them."""
        return tree(self._pid)


@contextmanager
def running_icecast(folder: Path, tapes: Path) -> Iterator[Icecast]:
    """icecast2 at a free port, which is sent the first tape's sound. Raises AudienceFailed."""
    program = shutil.which("icecast2")
    if program is None:
        raise AudienceFailed("This needs icecast2: run scripts/install-system-packages.")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    own = Path(tempfile.mkdtemp(dir=folder))
    folder.chmod(0o755)
    own.chmod(0o777)
    configuration = own / "icecast.xml"
    owner = _OWNER if os.geteuid() == 0 else ""
    configuration.write_text(_ICECAST.format(password=_PASSWORD, port=port, folder=own, owner=owner))
    source = [
        sys.executable,
        "-m",
        "folkmoot.bench.peers_source",
        str(tapes / str(FIRST_SPACE)),
        str(port),
        _PASSWORD,
    ]
    with subprocess.Popen([program, "-c", str(configuration)], stderr=subprocess.DEVNULL) as server:
        try:
            with subprocess.Popen(source, stdout=subprocess.PIPE) as sending:
                try:
                    assert sending.stdout is not None
                    if sending.stdout.readline() != b"ready\n":
                        raise AudienceFailed("icecast2 did not take the sound: the error is above.")
                    yield Icecast(port, server.pid)
                finally:
                    sending.kill()
        finally:
            server.kill()
