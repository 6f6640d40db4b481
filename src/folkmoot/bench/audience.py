"""`bench audience`: thousands listen to synthetic tapes, and check every byte that they get."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import Protocol, Self

import msgspec

from folkmoot.audience import windows
from folkmoot.audience.fanout import LATENESS_MS
from folkmoot.bench.audience_certificate import write_certificate
from folkmoot.bench.audience_door import HouseConfig, HouseReport
from folkmoot.bench.audience_load import (
    JOINS_PER_S,
    PLAIN,
    WITH_TLS,
    AudienceFailed,
    Heard,
    LoadWanted,
    compiled,
    listening,
)
from folkmoot.bench.audience_servers import live_tapes, running_floor, running_house
from folkmoot.bench.machine import this_machine
from folkmoot.bench.processes import CpuMeter, resident_mb
from folkmoot.bench.report import Report, Result, at_most, beside, command_line, exactly, shown
from folkmoot.settings import workers_for

DELIVERY_P99_MS = {100: 10.0, 200: 10.0, 500: 100.0, 1000: 20.0}
MANY_SPACES_P99_MS = 250.0
SERVER_CORES, MANY_SPACES_CORES = 0.35, 0.8
SERVER_MEMORY_MB = 50.0
MEMORY_GROWTH_MB = 2.0  # from the first to the last second, however long that is
RATIO_TO_FLOOR = 1.2
JOIN_P99_MS = 300.0
KERNEL_KB_EACH = 64.0
BEYOND_CALM_MS = 5.0  # two runs of the same differ by as much
JOIN_WITHIN_S = 20.0
FLOOR_S_MAX = 30.0
FLOOR_LISTENERS_MAX = 50_000

_JOINED_WITHIN_S = 60.0
_WATCHED_A_SECOND = 10

Say = Callable[[str], None]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured. `never_reading` of the listeners read nothing; `write_ms` of sound go into one write.

    `tls` is as in LoadWanted.
    """

    listeners: int
    seconds: float
    workers: int
    write_ms: int
    spaces: int = 1
    never_reading: int = 0
    joins_per_s: int = JOINS_PER_S
    tls: int = PLAIN


class Measured(msgspec.Struct, frozen=True):
    """What one server under one load came to. Cores are CPU seconds per second.

    `memory_growth_mb` is of resident memory: a share of common pages also grows when others' processes end.
    `kernel_memory_mb` is TCP's peak, `kernel_steady_mb` the highest median of a second: without the bursts of
    joining, and of writes that wait for a generator that is late.
    """

    heard: Heard
    cores: float
    memory_mb: float
    memory_growth_mb: float
    kernel_memory_mb: float
    kernel_steady_mb: float
    generator_cores: float
    tapes_cores: float
    report: HouseReport | None = None


class Measurable(Protocol):
    """A server that listeners can be sent to."""

    port: int

    def pids(self) -> list[int]:
        """Its processes, whose CPU counts."""

    def memory_mb(self) -> float:
        """What it takes to have listeners."""


def plan(
    listeners: int,
    seconds: float,
    *,
    cores: int,
    spaces: int = 1,
    write_ms: int = 0,
    never_reading: int = 0,
    tls: int = PLAIN,
) -> Plan:
    """As many workers as the product starts, and writes as long as it makes them for that load (`write_ms` 0)."""
    workers = workers_for(listeners, spaces, cores)
    return Plan(
        listeners=listeners,
        seconds=seconds,
        workers=workers,
        write_ms=write_ms or windows.window_ms(windows.load(listeners // workers, -(-spaces // workers))),
        spaces=spaces,
        never_reading=never_reading,
        joins_per_s=max(JOINS_PER_S, round(listeners / JOIN_WITHIN_S)),
        tls=tls,
    )


def run_audience(wanted: Plan, say: Say) -> Report:
    """Measures ours, then with one Space the floor under the same load. Raises AudienceFailed."""
    started_at, machine = datetime.now(UTC), this_machine()
    with workshop(wanted) as bench:
        say(f"{wanted.listeners} listeners join, {wanted.joins_per_s} a second.")
        calm = bench.measure_house(say, _calm(wanted)) if wanted.never_reading else None
        ours = bench.measure_house(say)
        floor = None
        if _has_floor(wanted):
            say("The same with the floor, a loop in C.")
            floor = bench.measure_floor(say)
    return Report(
        bench="audience",
        command=command_line(),
        machine=machine,
        started_at=started_at.isoformat(timespec="seconds"),
        results=results(wanted, ours, floor, calm),
        notes=notes(wanted, ours),
    )


class Workshop:
    """The compiled programs and the live tapes. Made by `workshop`."""

    def __init__(self, folder: Path, wanted: Plan, tapes_pid: int) -> None:
        self._folder = folder
        self._wanted = wanted
        self._tapes_pid = tapes_pid
        self.tapes = folder / "tapes"
        self.generator = compiled("listeners", folder, *(WITH_TLS if wanted.tls else ()))

    def measure_house(self, say: Say, wanted: Plan | None = None) -> Measured:
        """Our own door and workers, with this load instead if one is given."""
        wanted = wanted or self._wanted
        with running_house(self.house_config(wanted)) as house:
            try:
                measured = self.measure(house, say, wanted)
            except AudienceFailed as error:
                raise AudienceFailed(f"{error} What the workers counted: {house.report().metrics}.") from error
            return msgspec.structs.replace(measured, report=house.report())

    def house_config(self, wanted: Plan) -> HouseConfig:
        """Our own server for these listeners."""
        config = HouseConfig(str(self._folder), str(self.tapes), wanted.workers, wanted.write_ms)
        if not wanted.tls:
            return config
        certificate, key = write_certificate(self._folder)
        return msgspec.structs.replace(config, certificate=str(certificate), key=str(key))

    def measure_floor(self, say: Say) -> Measured:
        """The loop in C; what it costs doesn't take half an hour to see."""
        wanted = msgspec.structs.replace(self._wanted, seconds=min(self._wanted.seconds, FLOOR_S_MAX))
        program = compiled("floor", self._folder)
        with running_floor(program, self.tapes, wanted.workers, wanted.write_ms) as floor:
            return self.measure(floor, say, wanted)

    def measure(self, server: Measurable, say: Say, wanted: Plan) -> Measured:
        """Connects the listeners to a server, and measures once they all hear something."""
        load = LoadWanted(
            port=server.port,
            tapes=self.tapes,
            listeners=wanted.listeners,
            write_ms=wanted.write_ms,
            spaces=wanted.spaces,
            joins_per_s=wanted.joins_per_s,
            never_reading=wanted.never_reading,
            tls=wanted.tls,
        )
        with KernelMemory() as kernel, listening(self.generator, load) as listeners:
            joined = listeners.wait_until_joined(wanted.listeners / wanted.joins_per_s + _JOINED_WITHIN_S)
            say(f"All hear something after at most {joined.join.max_ms:.0f} ms.")
            listeners.settle()
            meters = [
                CpuMeter(server.pids),
                CpuMeter(listeners.pids),
                CpuMeter(lambda: [self._tapes_pid]),
            ]
            before_mb = resident_mb(server.pids())
            listeners.measure()
            time.sleep(wanted.seconds)
            cores, generator_cores, tapes_cores = (meter.cores() for meter in meters)
            memory_mb, after_mb = server.memory_mb(), resident_mb(server.pids())
            heard = listeners.stop()
        return Measured(
            heard=heard,
            cores=cores,
            memory_mb=memory_mb,
            memory_growth_mb=after_mb - before_mb,
            kernel_memory_mb=kernel.peak_mb,
            kernel_steady_mb=kernel.steady_mb,
            generator_cores=generator_cores,
            tapes_cores=tapes_cores,
        )


@contextmanager
def workshop(wanted: Plan) -> Iterator[Workshop]:
    """A folder with everything in it, removed at the end."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="folkmoot-bench-")))
        tapes_pid = stack.enter_context(live_tapes(folder / "tapes", wanted.spaces))
        yield Workshop(folder, wanted, tapes_pid)


def _has_floor(wanted: Plan) -> bool:
    """Not beyond what a machine is asked to carry: there the question is how far it goes."""
    is_plain = wanted.spaces == 1 and not wanted.never_reading and not wanted.tls
    return is_plain and wanted.listeners <= FLOOR_LISTENERS_MAX


def _calm(wanted: Plan) -> Plan:
    """The same without those who never read."""
    return msgspec.structs.replace(wanted, listeners=wanted.listeners - wanted.never_reading, never_reading=0)


def results(
    wanted: Plan, ours: Measured, floor: Measured | None = None, calm: Measured | None = None
) -> list[Result]:
    """The table. `calm` is ours without those who never read."""
    heard, many = ours.heard, wanted.spaces > 1
    cores = shown("server_cores", ours.cores, "cores")
    memory = at_most("server_memory_mb", ours.memory_mb, "MB", SERVER_MEMORY_MB)
    if many:  # each with its tape, and with a worker more for their files
        memory = shown("server_memory_mb", ours.memory_mb, "MB")
    if wanted.write_ms == windows.WINDOW_MS_MAX:
        cores = at_most("server_cores", ours.cores, "cores", MANY_SPACES_CORES if many else SERVER_CORES)
    delivery_ms = MANY_SPACES_P99_MS if many else DELIVERY_P99_MS[wanted.write_ms]
    found = [
        exactly("missed_parts", heard.missed, "", 0),
        exactly("wrong_bytes", heard.corrupted + heard.repeated, "", 0),
        shown("delivery_p50_ms", heard.delivery.p50_ms, "ms"),
        at_most("delivery_p99_ms", heard.delivery.p99_ms, "ms", delivery_ms),
        shown("part_age_p50_ms", heard.part_delay.p50_ms, "ms"),
        shown("part_age_p99_ms", heard.part_delay.p99_ms, "ms"),
        cores,
        memory,
        at_most("join_p99_ms", heard.join.p99_ms, "ms", JOIN_P99_MS),
    ]
    if floor is not None:
        bare = shown("floor_cores", floor.cores, "cores")
        found[6] = beside(cores, bare)
        found.append(at_most("ratio_to_c_floor", ours.cores / floor.cores, "", RATIO_TO_FLOOR))
        found.append(bare)
        if wanted.write_ms > windows.PART_MS:  # else it writes at moments of its own, not when there is a part
            found.append(shown("floor_delivery_p99_ms", floor.heard.delivery.p99_ms, "ms"))
    if calm is not None:
        found += never_reading_results(wanted, ours, calm)
    return [
        *found,
        at_most("memory_growth_mb", ours.memory_growth_mb, "MB", MEMORY_GROWTH_MB),
        shown("tick_late_p99_ms", late_p99_ms(ours), "ms"),
        shown("read_p99_ms", heard.reading.p99_ms, "ms"),
        shown("kernel_memory_mb", ours.kernel_memory_mb, "MB"),
        shown("generator_cores", ours.generator_cores, "cores"),
        shown("tapes_cores", ours.tapes_cores, "cores"),
        shown("kbit_s_each", heard.bytes * 8 / 1000 / wanted.seconds / wanted.listeners, "kbit/s"),
    ]


def never_reading_results(wanted: Plan, ours: Measured, calm: Measured) -> list[Result]:
    """Who never reads is dropped, all of them, costs a bounded amount of memory until then, and delays nobody."""
    each_kb = (ours.kernel_steady_mb - calm.kernel_steady_mb) * 1024 / wanted.never_reading
    return [
        exactly("dropped", ours.heard.dropped, "", wanted.never_reading),
        at_most("kernel_kb_each", each_kb, "KB", KERNEL_KB_EACH),
        shown("kernel_steady_mb", ours.kernel_steady_mb, "MB"),
        shown("calm_kernel_steady_mb", calm.kernel_steady_mb, "MB"),
        shown("calm_delivery_p99_ms", calm.heard.delivery.p99_ms, "ms"),
        at_most("p99_beyond_calm_ms", _difference(ours, calm), "ms", BEYOND_CALM_MS),
    ]


def _difference(ours: Measured, calm: Measured) -> float | None:
    with_them, without = ours.heard.delivery.p99_ms, calm.heard.delivery.p99_ms
    return None if with_them is None or without is None else with_them - without


def late_p99_ms(ours: Measured) -> float | None:
    """How late the workers came to a group that was due: the bound of the bucket, None above the last."""
    counts = ours.report.lateness if ours.report else []
    passed = 0
    for bound_ms, count in zip(LATENESS_MS, counts, strict=False):
        passed += count
        if passed >= 0.99 * sum(counts):
            return float(bound_ms)
    return None


def notes(wanted: Plan, ours: Measured) -> list[str]:
    """What to know beside the figures."""
    heard = ours.heard
    found = [
        f"{wanted.listeners} listeners in {wanted.spaces} Spaces, {wanted.workers} workers, "
        f"{wanted.write_ms} ms of sound in one write, {wanted.seconds:g} s: {heard.parts} parts in {heard.writes} "
        f"writes, {heard.bytes / 1e6 / wanted.seconds:.1f} MB a second, every byte compared with the tape.",
        "delivery: from when a write was due (with a write for each part, from its publication) until the "
        "listener's kernel had it (over TLS: until it was read), and so is join; read: until the generator read "
        "it, which shares the cores and is nice(5) to the server, since it stands for other machines. "
        "part_age: from each part's publication, with the wait for the write in it.",
        "server: the web process's door and hand-over, and the audience workers. Memory: the workers, and what the "
        "web process grew by; the rest of a server is in `bench boot`. Generator and tapes run beside it.",
    ]
    if heard.early:
        found.append(f"{heard.early} writes came before the moment at which they had seemed due.")
    return found


class KernelMemory:
    """What all TCP sockets of the machine hold in buffers while the context is open, beyond before."""

    def __init__(self) -> None:
        self._idle_mb = _kernel_memory_mb()
        self._is_over = Event()
        self._thread = Thread(target=self._watch)
        self._seen_mb: list[float] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._is_over.wait(1 / _WATCHED_A_SECOND):
            self._seen_mb.append(_kernel_memory_mb() - self._idle_mb)

    @property
    def peak_mb(self) -> float:
        return max(self._seen_mb, default=0.0)

    @property
    def steady_mb(self) -> float:
        """The highest median of a second."""
        every = range(0, len(self._seen_mb) - _WATCHED_A_SECOND + 1, _WATCHED_A_SECOND)
        seconds = (self._seen_mb[at : at + _WATCHED_A_SECOND] for at in every)
        return max(map(median, seconds), default=0.0)


def _kernel_memory_mb() -> float:
    """What all TCP sockets of the machine hold in buffers (proc(5), sockstat: pages)."""
    for line in Path("/proc/net/sockstat").read_text().splitlines():
        if line.startswith("TCP:"):
            return int(line.split()[-1]) * 4096 / 2**20
    raise AudienceFailed("/proc/net/sockstat says nothing about TCP.")
