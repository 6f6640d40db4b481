"""The recorder thread: takes the full mix off the mixer thread, encodes it and appends it to the tape."""

import logging
import queue
import threading
import time
from collections.abc import Callable

import msgspec
import numpy as np

from folkmoot.tape.encode import StepEncoder
from folkmoot.tape.model import SAMPLES_PER_MS, STEP_SAMPLES, Note, Part, TapeError
from folkmoot.tape.opus import FRAME_SAMPLES, Pcm
from folkmoot.tape.writer import TapeWriter

_TICKS_PER_STEP = STEP_SAMPLES // FRAME_SAMPLES
_BATCHES_WAITING_MAX = 100
_GAP_TICKS_ENCODED_MAX = 50
_CALLS_IN_A_NOTE_MAX = 2
_SILENCE: Pcm = np.zeros(FRAME_SAMPLES, np.int16)
_SILENCE.flags.writeable = False


logger = logging.getLogger(__name__)


class Counts(msgspec.Struct, frozen=True):
    """What the tape's notes say besides who speaks: see `folkmoot.tape.model.Note`."""

    listeners: int = 0
    reactions: dict[str, int] = msgspec.field(default_factory=dict)
    roster: int = 0
    listeners_estimated: int = 0
    calls: tuple[str, ...] = ()


class _Tick(msgspec.Struct, frozen=True, gc=False):
    number: int
    pcm: Pcm | None
    speaking: tuple[int, ...]


class Timeline:
    """The Space's own clock: milliseconds since the tape's start, running with the monotonic clock."""

    def __init__(self, start_ms: int, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._start_ms = start_ms
        self._clock_s = clock_s
        self._began_s = clock_s()

    def now_ms(self) -> int:
        """Where the stage is now."""
        return self._start_ms + int((self._clock_s() - self._began_s) * 1000)


class Recorder:
    """A MixSink. The mixer never waits for the disk: ticks queue up (10 s of them), beyond that they are lost.

    Lost, dropped and unwritable ticks are silence on the tape; its timeline is never shifted. `on_full` is called
    on the recorder thread with True when the tape can't be written any more, with False when it can again; writing
    is tried again with every step.
    """

    def __init__(self, writer: TapeWriter, on_full: Callable[[bool], None]) -> None:
        self.lost_frames = 0
        self.full = False
        self.counts = Counts()
        self._writer = writer
        self._on_full = on_full
        self._start_samples = writer.next_samples
        self._encoder = StepEncoder(self._start_samples)
        self._encoder_ticks = 0
        self._encoder_start_samples = self._start_samples
        self._queue: queue.SimpleQueue[list[_Tick] | None] = queue.SimpleQueue()
        self._batch: list[_Tick] = []
        self._speaking: set[int] = set()
        self._calls_told = 0
        self._ends = False
        self._closed_well = False
        self._thread = threading.Thread(target=self._run, name="stage-recorder", daemon=True)
        self._thread.start()

    @property
    def start_ms(self) -> int:
        """Where on the timeline tick 0 stands."""
        return self._start_samples // SAMPLES_PER_MS

    def frame(self, tick: int, pcm: Pcm | None, speaking: tuple[int, ...]) -> None:
        """Takes one tick from the mixer thread; never blocks.

        Only a step's last tick wakes the recorder: nothing is written before that, and one wake costs less than 5.
        """
        self._batch.append(_Tick(tick, pcm, speaking))
        if (tick + 1) % _TICKS_PER_STEP == 0 or len(self._batch) >= _TICKS_PER_STEP:
            self._hand_over()

    def close(self, *, ends: bool, timeout_s: float = 1.0) -> bool:
        """Writes what is waiting, then ends the tape, or leaves it so that it can be resumed. Blocks.

        No tick may come any more. Returns whether it was done: not if the disk hangs or refuses.
        """
        self._ends = ends
        self._hand_over()
        self._queue.put(None)
        self._thread.join(timeout_s)
        return self._closed_well

    def _hand_over(self) -> None:
        batch, self._batch = self._batch, []
        if self._queue.qsize() >= _BATCHES_WAITING_MAX:
            self.lost_frames += len(batch)
        else:
            self._queue.put(batch)

    def _run(self) -> None:
        while (batch := self._queue.get()) is not None:
            for item in batch:
                self._record(item)
        self._append(self._encoder.finish())
        try:
            if self._ends:
                self._writer.close()
            else:
                self._writer.release()
        except TapeError:
            logger.exception("the tape could not be closed")
        else:
            self._closed_well = True

    def _record(self, item: _Tick) -> None:
        next_tick = (self._encoder_start_samples - self._start_samples) // FRAME_SAMPLES + self._encoder_ticks
        missing = item.number - next_tick
        if missing > _GAP_TICKS_ENCODED_MAX:
            missing = self._jump_to(item.number)
        for _ in range(missing):
            self._encode(_SILENCE)
        self._speaking.update(item.speaking)
        self._encode(item.pcm if item.pcm is not None else _SILENCE)

    def _jump_to(self, tick: int) -> int:
        """After a long gap: goes on at the step that holds `tick`; the writer fills what lies between.

        Returns the ticks between that step's start and `tick`.
        """
        self._append(self._encoder.finish())
        at_samples = self._start_samples + tick * FRAME_SAMPLES
        self._encoder_start_samples = at_samples - at_samples % STEP_SAMPLES
        self._encoder = StepEncoder(self._encoder_start_samples)
        self._encoder_ticks = 0
        return (at_samples - self._encoder_start_samples) // FRAME_SAMPLES

    def _encode(self, pcm: Pcm) -> None:
        self._encoder_ticks += 1
        parts = self._encoder.encode(pcm)
        if parts:
            self._append(parts)

    def _append(self, parts: tuple[Part, ...]) -> None:
        counts = self.counts
        note = Note(
            speaking=tuple(sorted(self._speaking)),
            listeners=counts.listeners,
            listeners_estimated=counts.listeners_estimated,
            reactions=counts.reactions,
            roster=counts.roster,
            calls=self._next_calls(counts.calls),
        )
        self._speaking.clear()
        if not parts:
            return
        try:
            self._writer.append(parts, note)
        except TapeError as error:
            if not self.full:
                logger.warning("the tape can't be written: %s", error)
            self._now_full(full=True)
        else:
            self._now_full(full=False)

    def _next_calls(self, calls: tuple[str, ...]) -> tuple[str, ...]:
        """A few at a time, all of them in turn: whatever is in a note is sent to everybody, ten times a second."""
        first = self._calls_told % max(1, len(calls))
        self._calls_told = first + _CALLS_IN_A_NOTE_MAX
        return calls[first : first + _CALLS_IN_A_NOTE_MAX]

    def _now_full(self, *, full: bool) -> None:
        if full != self.full:
            self.full = full
            self._on_full(full)
