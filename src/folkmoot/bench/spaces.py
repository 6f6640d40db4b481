"""`bench stage --spaces`: how many Spaces this machine carries at once, full ones and small ones.

Real stage processes, forked as the server forks them, each with speakers of its own who all talk at once; one more
after the other, until the sound of any of them suffers. The speakers share the machine, so what it carries without
them is more: that is worked out from what both cost, and said to be.
"""

import asyncio
import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec

from folkmoot.bench.load import StageFailed, forked
from folkmoot.bench.machine import this_machine
from folkmoot.bench.processes import CpuMeter, machine_busy_s, pss_mb
from folkmoot.bench.publishers import connect_stage, run_publishers, to_stage
from folkmoot.bench.report import Report, Result, command_line, shown
from folkmoot.bench.speech import SpeechFrame, packets, speech
from folkmoot.bench.stage import NoLeases
from folkmoot.stage.engine import EngineStatus
from folkmoot.stage.process import StageConfig, run_stage

FULL_SPEAKERS = 13
SMALL_SPEAKERS = 3
SMALL_AT_ONCE = 3
"""So many small Spaces are added before it is measured again."""

# What nobody hears: a late tick is made up for by the buffers of those who listen.
LATE_SHARE_MAX = 0.01
UNDERRUN_SHARE_MAX = 0.005

_MEASURED_S = 4.0
_SETTLES_S = 1.0
_READY_WITHIN_S = 30.0
_EACH_WITHIN_S = 45.0
_FRAMES_PER_S = 50
# Thirteen who talk at once sum to just below full scale.
_SPEAKER_PEAK = 0.1

_forking = multiprocessing.get_context("fork")


class Sample(msgspec.Struct, frozen=True):
    """All stages together during one measurement; shares are of the worst stage."""

    stages: int
    stage_cores: float
    generator_cores: float
    other_cores: float
    memory_mb: float
    late_share: float
    underrun_share: float
    dropped_ticks: int

    @property
    def sounds_well(self) -> bool:
        return (
            self.dropped_ticks == 0
            and self.late_share <= LATE_SHARE_MAX
            and self.underrun_share <= UNDERRUN_SHARE_MAX
        )


class Carried(msgspec.Struct, frozen=True):
    """The last measurement at which all sounded well, and why it went no further."""

    best: Sample | None
    stopped: str


def run_spaces_bench(say: Callable[[str], None]) -> Report:
    """About two minutes at most. `say` is told how it goes. Raises SpeechMissing."""
    started_at, machine = datetime.now(UTC), this_machine()
    frames = packets(speech(_SPEAKER_PEAK), expected_loss_percent=5)
    full = ramp(partial(Stages, frames, FULL_SPEAKERS), 1, say)
    small = ramp(partial(Stages, frames, SMALL_SPEAKERS), SMALL_AT_ONCE, say)
    return Report(
        bench="stage",
        command=command_line(),
        machine=machine,
        started_at=started_at.isoformat(timespec="seconds"),
        results=[*results("full", full), *results("small", small)],
        notes=[
            f"Full: {FULL_SPEAKERS} on stage, small: {SMALL_SPEAKERS}; all talk at once, all are recorded. More "
            f"are added until, twice in a row over {_MEASURED_S:g} s, a tick is dropped, {LATE_SHARE_MAX:.0%} of a "
            f"stage's ticks are late, or {UNDERRUN_SHARE_MAX:.1%} of its frames missing.",
            "The speakers run on the same machine. *_without_generator is not measured: it is what the same cores "
            "would carry if stages had all of them, at what a stage costs here. *_other_cores: anything else.",
            f"Full: {full.stopped} Small: {small.stopped}",
        ],
    )


class Stages:
    """Stage processes with their speakers; grows, and ends all of them with the context."""

    def __init__(self, frames: Sequence[SpeechFrame], speakers: int) -> None:
        self.speakers = speakers
        self._frames = frames
        self._open = ExitStack()
        self._sockets: list[Path] = []
        self._stage_pids: list[int] = []
        self._generator_pids: list[int] = []

    def __enter__(self) -> "Stages":
        self._folder = Path(tempfile.mkdtemp(prefix="folkmoot-bench-"))
        self._open.callback(shutil.rmtree, self._folder, ignore_errors=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def add(self) -> None:
        """One more, connected and heard. Raises StageFailed."""
        folder = self._folder / str(len(self._sockets))
        socket_path = folder.with_suffix(".sock")
        stage = self._open.enter_context(forked(partial(_run, socket_path, folder)))
        orders, theirs = _forking.Pipe()
        self._open.callback(orders.close)
        speak = partial(run_publishers, self._frames, self.speakers, partial(to_stage, socket_path), theirs)
        generator = self._open.enter_context(forked(speak))
        theirs.close()
        try:
            if not orders.poll(_READY_WITHIN_S):
                raise StageFailed(f"its speakers did not connect within {_READY_WITHIN_S:g} s.")
            orders.recv()
        except EOFError as error:
            raise StageFailed("its speakers could not connect.") from error
        assert stage.pid is not None
        assert generator.pid is not None
        self._sockets.append(socket_path)
        self._stage_pids.append(stage.pid)
        self._generator_pids.append(generator.pid)

    def measure(self) -> Sample:
        time.sleep(_SETTLES_S)
        before = asyncio.run(_statuses(self._sockets))
        stage_meter, generator_meter = CpuMeter(lambda: self._stage_pids), CpuMeter(lambda: self._generator_pids)
        busy_before_s = machine_busy_s()
        time.sleep(_MEASURED_S)
        busy_cores = (machine_busy_s() - busy_before_s) / _MEASURED_S
        stage_cores, generator_cores = stage_meter.cores(), generator_meter.cores()
        after = asyncio.run(_statuses(self._sockets))
        pairs = list(zip(before, after, strict=True))
        frames = self.speakers * _FRAMES_PER_S * _MEASURED_S
        return Sample(
            stages=len(self._sockets),
            stage_cores=stage_cores,
            generator_cores=generator_cores,
            other_cores=max(0.0, busy_cores - stage_cores - generator_cores),
            memory_mb=pss_mb(self._stage_pids),
            late_share=max((b.late_ticks - a.late_ticks) / max(1, b.ticks - a.ticks) for a, b in pairs),
            underrun_share=max((_underruns(b) - _underruns(a)) / frames for a, b in pairs),
            dropped_ticks=sum(b.dropped_ticks - a.dropped_ticks for a, b in pairs),
        )


def ramp(make: Callable[[], Stages], at_once: int, say: Callable[[str], None]) -> Carried:
    best: Sample | None = None
    give_up_s = time.monotonic() + _EACH_WITHIN_S
    with make() as stages:
        while time.monotonic() < give_up_s:
            try:
                for _ in range(at_once):
                    stages.add()
            except StageFailed as error:
                return Carried(best, f"one more could not be started: {error}")
            sample = stages.measure()
            say(_progress(stages.speakers, sample))
            if not sample.sounds_well:
                sample = stages.measure()  # anything else on the machine may have been in the way for a moment
                say(_progress(stages.speakers, sample))
            if not sample.sounds_well:
                return Carried(best, f"with {sample.stages}, {_suffering(sample)}.")
            best = sample
    return Carried(best, f"stopped after {_EACH_WITHIN_S:g} s: the limit was not reached.")


def _progress(speakers: int, sample: Sample) -> str:
    return (
        f"{sample.stages} × {speakers} speakers: stages {sample.stage_cores:.2f} cores, generator "
        f"{sample.generator_cores:.2f}, others {sample.other_cores:.2f}, late ticks {sample.late_share:.2%}, "
        f"frames missing {sample.underrun_share:.2%}, dropped {sample.dropped_ticks}"
    )


def _suffering(sample: Sample) -> str:
    if sample.dropped_ticks:
        return f"{sample.dropped_ticks} ticks were dropped"
    if sample.late_share > LATE_SHARE_MAX:
        return f"{sample.late_share:.1%} of a stage's ticks were late"
    return f"{sample.underrun_share:.1%} of a stage's frames were missing"


def results(name: str, carried: Carried) -> list[Result]:
    best = carried.best
    if best is None:
        return [shown(f"{name}_stages", 0, "stages")]
    both_cores = best.stage_cores + best.generator_cores
    return [
        shown(f"{name}_stages", best.stages, "stages"),
        shown(f"{name}_stages_without_generator", best.stages * both_cores // best.stage_cores, "stages"),
        shown(f"{name}_stage_cores", best.stage_cores / best.stages, "cores"),
        shown(f"{name}_stage_memory_mb", best.memory_mb / best.stages, "MB"),
        shown(f"{name}_generator_cores", best.generator_cores, "cores"),
        shown(f"{name}_other_cores", best.other_cores, "cores"),
    ]


def _run(socket_path: Path, tape: Path) -> None:
    run_stage(StageConfig(socket_path, tape), NoLeases())


async def _statuses(sockets: Sequence[Path]) -> list[EngineStatus]:
    found = []
    for path in sockets:
        async with await connect_stage(path) as client:
            found.append((await client.status()).engine)
    return found


def _underruns(status: EngineStatus) -> int:
    return sum(seat.underruns for seat in status.seats)
