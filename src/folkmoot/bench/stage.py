"""`bench stage`: a full stage of speakers who all talk at once, and the receive path under packet loss."""

import asyncio
import multiprocessing
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from pathlib import Path

import msgspec
import numpy as np

from folkmoot.bench.loss import measure_loss
from folkmoot.bench.machine import this_machine
from folkmoot.bench.processes import CpuMeter, pss_mb
from folkmoot.bench.publishers import Heard, Signalling, connect_stage, run_publishers, to_stage
from folkmoot.bench.report import Report, Result, at_least, at_most, beside, command_line, exactly, shown
from folkmoot.bench.speech import SpeechFrame, packets, speech
from folkmoot.bench.stock import StockEngine
from folkmoot.stage.client import StageClient
from folkmoot.stage.engine import Engine, EventCallback
from folkmoot.stage.leases import Handle
from folkmoot.stage.mixer_thread import MixSink
from folkmoot.stage.process import StageConfig, StageServer, run_stage
from folkmoot.stage.protocol import StageStatus, Stamp
from folkmoot.tape.opus import SAMPLE_RATE, Pcm

STAGE_CORES = 0.25
LOSS_CORRELATION = 0.99
LOSS_BUFFER_MS = 80.0

# Thirteen who talk at once sum to just below full scale.
_SPEAKER_PEAK = 0.1
_LOSS_PEAK = 0.7
_LOSS_SECONDS = 60
_READY_WITHIN_S = 60.0
_WARM_PACKETS = 100
_POLL_S = 0.1

_forking = multiprocessing.get_context("fork")


class StageFailed(Exception):
    """The speakers could not be connected. The message is a sentence."""


class StageRun(msgspec.Struct, frozen=True):
    """One engine under one load; counts are of the measured seconds only."""

    cores: float
    memory_mb: float
    generator_cores: float
    underruns: int
    late_ticks: int
    tick_work_p99_ms: float
    buffer_ms: float
    heard: Heard


class NoLeases:
    """Nobody loses a right in a bench."""

    def hold(self, stamps: Sequence[Stamp], on_end: Callable[[str], None]) -> Handle:
        """See `leases.LeaseHolder`."""
        del stamps, on_end
        return self

    def release(self) -> None:
        """See `leases.Handle`."""

    async def follow(self) -> None:
        """See `leases.LeaseHolder`."""
        await asyncio.Event().wait()


def run_stage_bench(speakers: int, seconds: float, loss_percent: float, *, peers: bool) -> Report:
    """Our stage, then the peers under the same load, one after another. Raises StageFailed, SpeechMissing."""
    started_at, machine = datetime.now(UTC), this_machine()
    frames = packets(speech(_SPEAKER_PEAK), expected_loss_percent=5)
    ours = measure_stage(_ours, frames, speakers, seconds)
    loss = measure_loss(_long_speech(), loss_percent)
    results = [
        at_most("stage_cores", ours.cores, "cores", STAGE_CORES),
        exactly("underruns", ours.underruns, "frames", 0),
        at_least(f"loss{loss_percent:g}_correlation", loss.correlation, "", LOSS_CORRELATION),
        at_most(f"loss{loss_percent:g}_buffer_ms", loss.buffer_ms, "ms", LOSS_BUFFER_MS),
        shown("speakers_per_core", speakers / ours.cores, "speakers"),
        shown("stage_memory_mb", ours.memory_mb, "MB"),
        shown("stage_buffer_ms", ours.buffer_ms, "ms"),
        shown("tick_work_p99_ms", ours.tick_work_p99_ms, "ms"),
        shown("late_ticks", ours.late_ticks, "ticks"),
        shown("mix_packets_lost", ours.heard.lost, "packets"),
        shown("generator_cores", ours.generator_cores, "cores"),
        shown("generator_late_p99_ms", ours.heard.late_p99_ms, "ms"),
    ]
    notes = [
        f"{speakers} speakers talk at once for {seconds:g} s (real speech, one generator process on the same "
        "machine), each is sent a mix without themselves, and the tape is written in Opus and AAC.",
        f"Loss: {loss.lost_packets} of {loss.packets} packets, always the same ones, on a simulated clock.",
    ]
    if peers:
        results = _with_peers(results, notes, frames, speakers, seconds)
    return Report(
        bench="stage",
        command=command_line(),
        machine=machine,
        started_at=started_at.isoformat(timespec="seconds"),
        results=results,
        notes=notes,
    )


def measure_stage(
    main: Callable[[Path, Path], None], frames: Sequence[SpeechFrame], speakers: int, seconds: float
) -> StageRun:
    """Forks `main(socket, tape)` as a stage process, as the server does, and the speakers in another."""
    folder = Path(tempfile.mkdtemp(prefix="folkmoot-bench-"))
    socket_path = folder / "stage.sock"
    try:
        with _forked(partial(main, socket_path, folder / "tape")) as stage:
            assert stage.pid is not None
            signalling = partial(to_stage, socket_path)
            with publishing(frames, speakers, signalling) as (orders, generator):
                assert generator.pid is not None
                return _measure(socket_path, stage.pid, generator.pid, orders, speakers, seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def publishing(
    frames: Sequence[SpeechFrame], speakers: int, signalling: Signalling
) -> Iterator[tuple[Connection, ForkProcess]]:
    """The generator's process, connected and sending. Raises StageFailed."""
    orders, theirs = _forking.Pipe()
    with _forked(partial(run_publishers, frames, speakers, signalling, theirs)) as generator:
        theirs.close()
        try:
            if not orders.poll(_READY_WITHIN_S):
                raise StageFailed(f"The speakers did not connect within {_READY_WITHIN_S:g} s.")
            orders.recv()
        except EOFError as error:
            raise StageFailed("The speakers could not connect: the generator's error is above.") from error
        yield orders, generator


def _long_speech() -> Pcm:
    """At least a minute, so that it isn't by chance which words are lost."""
    said = speech(_LOSS_PEAK)
    return np.tile(said, -(-_LOSS_SECONDS * SAMPLE_RATE // len(said)))


def _measure(
    socket_path: Path, stage_pid: int, generator_pid: int, orders: Connection, speakers: int, seconds: float
) -> StageRun:
    before = _warm(socket_path, speakers)
    stage, generator = CpuMeter(lambda: [stage_pid]), CpuMeter(lambda: [generator_pid])
    orders.send("measure")
    time.sleep(seconds)
    cores, generator_cores = stage.cores(), generator.cores()
    orders.send("stop")
    heard = orders.recv()
    after = asyncio.run(_status(socket_path))
    seats = after.engine.seats
    return StageRun(
        cores=cores,
        memory_mb=pss_mb([stage_pid]),
        generator_cores=generator_cores,
        underruns=_underruns(after) - _underruns(before),
        late_ticks=after.engine.late_ticks - before.engine.late_ticks,
        tick_work_p99_ms=after.engine.tick_work_p99_ms,
        buffer_ms=sum(seat.buffer_ms for seat in seats) / max(1, len(seats)),
        heard=heard,
    )


def _warm(socket_path: Path, speakers: int) -> StageStatus:
    """Waits until every speaker has been heard for two seconds. Raises StageFailed."""
    deadline_s = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < deadline_s:
        status = asyncio.run(_status(socket_path))
        if sum(seat.received >= _WARM_PACKETS for seat in status.engine.seats) == speakers:
            return status
        time.sleep(_POLL_S)
    raise StageFailed(f"Not all of the {speakers} speakers are heard on the stage.")


async def _status(socket_path: Path) -> StageStatus:
    client: StageClient
    async with await connect_stage(socket_path) as client:
        return await client.status()


def _underruns(status: StageStatus) -> int:
    return sum(seat.underruns for seat in status.engine.seats)


def _with_peers(
    results: list[Result], notes: list[str], frames: Sequence[SpeechFrame], speakers: int, seconds: float
) -> list[Result]:
    stock = measure_stage(_stock, frames, speakers, seconds)
    aiortc = shown("aiortc_cores", stock.cores, "cores")
    ours = results[0]
    notes.append(
        f"Stock aiortc under the same load: {stock.underruns} underruns; it keeps no recording. "
        f"Its generator cost {stock.generator_cores:.2f} cores."
    )
    return [beside(ours, aiortc), *results[1:], beside(aiortc, ours)]


def _ours(socket_path: Path, tape: Path) -> None:
    run_stage(StageConfig(socket_path, tape), NoLeases())


def _stock(socket_path: Path, tape: Path) -> None:
    def make(sink: MixSink, on_event: EventCallback, timeline_ms: Callable[[], int]) -> Engine:
        del sink, on_event, timeline_ms
        return StockEngine()

    async def serve() -> None:
        await StageServer(tape, NoLeases(), make).serve(socket_path)

    asyncio.run(serve())


@contextmanager
def _forked(main: Callable[[], None]) -> Iterator[ForkProcess]:
    process = _forking.Process(target=main)
    process.start()
    try:
        yield process
    finally:
        process.terminate()
        process.join(5)
        if process.is_alive():
            process.kill()
            process.join()
