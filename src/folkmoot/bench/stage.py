"""`bench stage`: a full stage of speakers who all talk at once, and the receive path under packet loss."""

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec
import numpy as np

from folkmoot.bench.janus import janus_command, measure_janus
from folkmoot.bench.load import Cost, Load, forked, speaking
from folkmoot.bench.loss import measure_loss
from folkmoot.bench.machine import this_machine
from folkmoot.bench.publishers import connect_stage, to_stage
from folkmoot.bench.report import Report, Result, at_least, at_most, beside, command_line, exactly, shown
from folkmoot.bench.speech import packets, speech
from folkmoot.bench.stock import StockEngine
from folkmoot.stage.engine import Engine, EngineStatus, EventCallback
from folkmoot.stage.leases import Handle
from folkmoot.stage.mixer_thread import MixSink
from folkmoot.stage.process import StageConfig, StageServer, run_stage
from folkmoot.stage.protocol import Stamp
from folkmoot.tape.opus import SAMPLE_RATE, Pcm

STAGE_CORES = 0.25
LOSS_CORRELATION = 0.99
LOSS_BUFFER_MS = 80.0

# Thirteen who talk at once sum to just below full scale.
_SPEAKER_PEAK = 0.1
_LOSS_PEAK = 0.7
_LOSS_SECONDS = 60
# Two frames, which is what a jitter buffer starts with.
_GENERATOR_LATE_MS = 40.0


class StageRun(msgspec.Struct, frozen=True):
    """One engine under one load; counts are of the measured seconds only."""

    cost: Cost
    underruns: int
    late_ticks: int
    tick_work_p99_ms: float
    buffer_ms: float


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
    load = Load(frames, speakers, seconds)
    ours = measure_stage(_ours, load)
    loss = measure_loss(_long_speech(), loss_percent)
    results = [
        at_most("stage_cores", ours.cost.cores, "cores", STAGE_CORES),
        exactly("underruns", ours.underruns, "frames", 0),
        at_least(f"loss{loss_percent:g}_correlation", loss.correlation, "", LOSS_CORRELATION),
        at_most(f"loss{loss_percent:g}_buffer_ms", loss.buffer_ms, "ms", LOSS_BUFFER_MS),
        shown("speakers_per_core", speakers / ours.cost.cores, ""),
        shown("stage_memory_mb", ours.cost.memory_mb, "MB"),
        shown("stage_buffer_ms", ours.buffer_ms, "ms"),
        shown("tick_work_p99_ms", ours.tick_work_p99_ms, "ms"),
        shown("late_ticks", ours.late_ticks, "ticks"),
        shown("mix_packets_lost", ours.cost.heard.lost, "packets"),
        shown("generator_cores", ours.cost.generator_cores, "cores"),
        shown("generator_late_p99_ms", ours.cost.heard.late_p99_ms, "ms"),
    ]
    notes = [
        f"{speakers} speakers talk at once for {seconds:g} s (real speech, one generator process on the same "
        "machine), each is sent a mix without themselves, and the tape is written in Opus and AAC.",
        f"Loss: {loss.lost_packets} of {loss.packets} packets, always the same ones, on a simulated clock.",
    ]
    if ours.cost.heard.late_p99_ms > _GENERATOR_LATE_MS:
        notes.append(
            f"The generator sent packets up to {ours.cost.heard.late_p99_ms:.0f} ms late, more than the stage "
            "buffers: others use this machine, and underruns say nothing about the stage."
        )
    if peers:
        results = _with_peers(results, notes, load)
    return Report(
        bench="stage",
        command=command_line(),
        machine=machine,
        started_at=started_at.isoformat(timespec="seconds"),
        results=results,
        notes=notes,
    )


def measure_stage(main: Callable[[Path, Path], None], load: Load) -> StageRun:
    """Forks `main(socket, tape)` as a stage process, as the server does, and the speakers in another."""
    folder = Path(tempfile.mkdtemp(prefix="folkmoot-bench-"))
    socket_path = folder / "stage.sock"
    try:
        with (
            forked(partial(main, socket_path, folder / "tape")) as stage,
            speaking(load, partial(to_stage, socket_path)) as measure,
        ):
            assert stage.pid is not None
            before = _engine_status(socket_path)
            cost = measure(stage.pid)
            after = _engine_status(socket_path)
            return StageRun(
                cost=cost,
                underruns=_underruns(after) - _underruns(before),
                late_ticks=after.late_ticks - before.late_ticks,
                tick_work_p99_ms=after.tick_work_p99_ms,
                buffer_ms=sum(seat.buffer_ms for seat in after.seats) / len(after.seats),
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _long_speech() -> Pcm:
    """At least a minute, so that it isn't by chance which words are lost."""
    said = speech(_LOSS_PEAK)
    return np.tile(said, -(-_LOSS_SECONDS * SAMPLE_RATE // len(said)))


def _engine_status(socket_path: Path) -> EngineStatus:
    async def ask() -> EngineStatus:
        async with await connect_stage(socket_path) as client:
            return (await client.status()).engine

    return asyncio.run(ask())


def _underruns(status: EngineStatus) -> int:
    return sum(seat.underruns for seat in status.seats)


def _with_peers(results: list[Result], notes: list[str], load: Load) -> list[Result]:
    """The results with the peers' after them, and ours compared with the best of them."""
    stock = measure_stage(_stock, load)
    peers = [shown("aiortc_cores", stock.cost.cores, "cores")]
    notes.append(f"Stock aiortc, without recording: {stock.underruns} underruns{_under_load(stock.cost, load)}.")
    janus = janus_command()
    if janus is None:
        notes.append("Janus was not measured: install janus.")
        peers.append(shown("janus_cores", None, "cores"))
    else:
        cost = measure_janus(janus, load)
        peers.append(shown("janus_cores", cost.cores, "cores"))
        notes.append(f"Janus' AudioBridge, without recording{_under_load(cost, load)}.")
    ours = results[0]
    best = min((peer for peer in peers if peer.value), key=lambda peer: peer.value or 0.0)
    return [beside(ours, best), *results[1:], *(beside(peer, ours) for peer in peers)]


def _under_load(cost: Cost, load: Load) -> str:
    """What shows that a peer did the same work."""
    share = cost.heard.packets / (load.speakers * load.seconds * 50)
    return (
        f", {share:.0%} of the mixes' packets arrived, {cost.memory_mb:.0f} MB, "
        f"the generator took {cost.generator_cores:.2f} cores"
    )


def _ours(socket_path: Path, tape: Path) -> None:
    run_stage(StageConfig(socket_path, tape), NoLeases())


def _stock(socket_path: Path, tape: Path) -> None:
    def make(sink: MixSink, on_event: EventCallback, timeline_ms: Callable[[], int]) -> Engine:
        del sink, on_event, timeline_ms
        return StockEngine()

    async def serve() -> None:
        await StageServer(tape, NoLeases(), make).serve(socket_path)

    asyncio.run(serve())
