"""What HLS listeners wait for: the tapes of live Spaces as one web process follows them.

A tape is opened when it is first asked for and looked at once for everybody who waits: a request that waits costs a
future, and nothing polls while nobody waits.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec

from folkmoot.gate import Refused
from folkmoot.recordings.sound import Media, Sound
from folkmoot.tape import hls, redactions
from folkmoot.tape.hls import MediaName
from folkmoot.tape.hls_window import HlsWindow, Place
from folkmoot.tape.model import SAMPLES_PER_MS, Codec, TapeError
from folkmoot.tape.reader import SEGMENT_MS, TapeReader

WAIT_S = 12.0
"""Three target durations: a server that has nothing new by then says so (6.2.5.2)."""
WAITING_MAX = 4_000
NEWEST_SEGMENTS = hls.HOLD_BACK_S // hls.TARGET_DURATION_S + 1
"""A player without low latency begins so many behind the edge."""
IDLE_S = 30.0
_FED_SEGMENTS = 4
"""So many of the newest segments are known in their parts when a tape is opened: more than a playlist lists."""
_NEXT_PART_S = 0.085  # a tape gets a part every 100 ms
_LOOK_AGAIN_S = 0.01


class _Waiter(msgspec.Struct, eq=False):
    codec: Codec
    is_there: Callable[[HlsWindow], bool]
    found: asyncio.Future[None]


class LiveTape:
    """One tape, on one event loop. `windows` are as new as the last refresh()."""

    def __init__(self, reader: TapeReader, windows: dict[Codec, HlsWindow]) -> None:
        self.reader = reader
        self.windows = windows
        self._waiters: set[_Waiter] = set()
        self._follower: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        return len(self._waiters)

    def refresh(self) -> bool:
        """Looks for new parts and the end; some 10 µs. Raises TapeError."""
        if not self.reader.refresh():
            return False
        for codec, window in self.windows.items():
            window.append(self.reader.numbered(codec, window.next_number, self.reader.count(codec)))
            if self.reader.ended:
                window.end()
        return True

    def playlist(self, sound: Sound, codec: Codec, *, skip: bool) -> str | None:
        """The live playlist of a codec; None before there is a whole segment: players give up on an empty one."""
        window = self.windows[codec]
        window.forget_before(sound.playlist_from_ms(self.reader) * SAMPLES_PER_MS)
        if not window.segments:
            return None
        taken_out = redactions.decisions(sound.directory)
        first = window.segments[0].ref.number
        return hls.live_playlist(
            window,
            timeline_unix_ms=self.reader.timeline_unix_ms,
            skip=skip,
            revisions=self.reader.revisions(codec, first) if taken_out else hls.NO_REVISIONS,
            redactions=taken_out,
        )

    def newest(self, sound: Sound, codec: Codec, name: MediaName) -> Media | None:
        """A segment or part that everybody reads just now; None for any other.

        Read at once, without a thread and without opening a file: it was written a moment ago, so the kernel has it
        in memory (24 µs, where opening the tape in a thread takes 350 to 520).
        """
        window = self.windows[codec]
        if window.next_part.segment - name.segment > NEWEST_SEGMENTS:
            return None
        place = None if name.part is None else Place(name.segment, name.part)
        found = window.segment(name.segment) if place is None else window.find(place)
        ref = found.ref if found is not None else None
        from_ms, _ = sound.bounds(self.reader)
        if ref is None or ref.start_samples // SAMPLES_PER_MS < from_ms:
            return None
        revisions = hls.NO_REVISIONS
        # Before the bytes: of what is taken out in between they are newer than it says, never older.
        if redactions.decisions(sound.directory):
            revisions = self.reader.revisions(codec, name.segment, name.segment + 1)
        return Media(self.reader.read([ref]), revisions.get(name.segment, 0))

    async def wait_for(self, codec: Codec, is_there: Callable[[HlsWindow], bool]) -> None:
        """Returns when the window has it or has ended. Raises TimeoutError, and TapeError where the tape broke."""
        window = self.windows[codec]
        if window.ended or is_there(window):
            return
        waiter = _Waiter(codec, is_there, asyncio.get_running_loop().create_future())
        self._waiters.add(waiter)
        if self._follower is None:
            self._follower = asyncio.create_task(self._follow())
        try:
            async with asyncio.timeout(WAIT_S):
                await waiter.found
        finally:
            self._waiters.discard(waiter)

    def close(self) -> None:
        """Lets go of the files. Nobody may be waiting."""
        if self._follower is not None:
            self._follower.cancel()
        self.reader.close()

    async def _follow(self) -> None:
        """Looks as long as anybody waits."""
        try:
            while self._waiters:
                is_new = self.refresh()
                if is_new:
                    self._wake()
                await asyncio.sleep(_NEXT_PART_S if is_new else _LOOK_AGAIN_S)
        except TapeError as error:
            for waiter in self._waiters:
                if not waiter.found.done():
                    waiter.found.set_exception(error)
        finally:
            self._follower = None

    def _wake(self) -> None:
        for waiter in self._waiters:
            window = self.windows[waiter.codec]
            if not waiter.found.done() and (window.ended or waiter.is_there(window)):
                waiter.found.set_result(None)


class LiveTapes:
    """All that one web process follows. Belongs to one event loop."""

    def __init__(self, *, waiting_max: int = WAITING_MAX, idle_s: float = IDLE_S) -> None:
        self._waiting_max = waiting_max
        self._idle_s = idle_s
        self._open: dict[Path, asyncio.Task[LiveTape]] = {}
        self._used_s: dict[Path, float] = {}

    async def open(self, sound: Sound) -> LiveTape:
        """A tape as it is now, opened once for everybody. Raises TapeMissing, TapeDamaged, OSError."""
        loop, directory = asyncio.get_running_loop(), sound.directory
        opening = self._open.get(directory)
        if opening is None:
            opening = loop.create_task(asyncio.to_thread(_opened, sound))
            self._open[directory] = opening
            if directory not in self._used_s:  # else its timer runs
                loop.call_later(self._idle_s, self._close_idle, directory)
        self._used_s[directory] = loop.time()
        try:
            tape = await asyncio.shield(opening)
        except (OSError, TapeError):  # no file is free, for one: whoever asks next may have more luck
            if self._open.get(directory) is opening:
                del self._open[directory]
            raise
        tape.refresh()
        return tape

    @property
    def waiting(self) -> int:
        """How many requests wait now."""
        return sum(one.result().waiting for one in self._open.values() if _is_open(one))

    def require_room(self) -> None:
        """Raises Refused 503 where too many wait already."""
        if self.waiting >= self._waiting_max:
            raise Refused(
                "busy",
                "Too many players wait here. Try again in a moment.",
                status=503,
                headers={"Retry-After": "1"},
            )

    def close(self) -> None:
        """Lets go of every tape."""
        for directory in list(self._open):
            self._close(directory)

    def _close_idle(self, directory: Path) -> None:
        """A tape that nobody asks for is closed: its files may have been deleted."""
        opening = self._open.get(directory)
        if opening is None:
            self._used_s.pop(directory, None)
            return
        loop = asyncio.get_running_loop()
        idle_s = loop.time() - self._used_s[directory]
        is_used = not opening.done() or (_is_open(opening) and opening.result().waiting > 0)
        if is_used or idle_s < self._idle_s:
            loop.call_later(max(1.0, self._idle_s - idle_s), self._close_idle, directory)
        else:
            self._close(directory)

    def _close(self, directory: Path) -> None:
        opening = self._open.pop(directory)
        self._used_s.pop(directory, None)
        if _is_open(opening):
            opening.result().close()


def _is_open(opening: asyncio.Task[LiveTape]) -> bool:
    return opening.done() and not opening.cancelled() and opening.exception() is None


def _opened(sound: Sound) -> LiveTape:
    reader = TapeReader(sound.directory)
    try:
        from_ms = sound.playlist_from_ms(reader)
        windows = {codec: _first_window(reader, codec, from_ms) for codec in reader.codecs}
        return LiveTape(reader, windows)
    except BaseException:
        reader.close()
        raise


def _first_window(reader: TapeReader, codec: Codec, from_ms: int) -> HlsWindow:
    newest = reader.newest(codec)
    first_fed = max(0, newest.segment - _FED_SEGMENTS) if newest else 0
    before = reader.segments(codec, from_ms, first_fed * SEGMENT_MS)
    # Not the first one if the range begins within it: it would lose a part at each look.
    window = HlsWindow(codec, before[1:] if from_ms else before)
    first, past_last = reader.numbers(codec, first_fed * SEGMENT_MS, reader.end_ms + SEGMENT_MS)
    window.append(ref for ref in reader.numbered(codec, first, past_last) if ref.segment >= first_fed)
    if reader.ended:
        window.end()
    return window
