"""Time-ordered 64-bit ids, one namespace for everything that a client may sort together.

Layout, from the top: 48 bits of Unix milliseconds, 6 bits of process slot, 10 bits of sequence. The slot keeps
two processes apart without talking; the supervisor hands slots out.
"""

from collections.abc import Callable
from threading import Lock

SLOT_BITS = 6
SEQUENCE_BITS = 10
SLOTS = 1 << SLOT_BITS
_SEQUENCE_MAX = (1 << SEQUENCE_BITS) - 1


class IdMaker:
    """Makes strictly increasing ids within one process, also when the clock steps back."""

    def __init__(self, slot: int, clock_ms: Callable[[], int]) -> None:
        assert 0 <= slot < SLOTS
        self._slot = slot
        self._clock_ms = clock_ms
        self._lock = Lock()
        self._last_ms = 0
        self._sequence = 0

    def next(self) -> int:
        with self._lock:
            now_ms = self._clock_ms()
            if now_ms > self._last_ms:
                self._last_ms, self._sequence = now_ms, 0
            elif self._sequence < _SEQUENCE_MAX:
                self._sequence += 1
            else:
                self._last_ms, self._sequence = self._last_ms + 1, 0
            return (self._last_ms << (SLOT_BITS + SEQUENCE_BITS)) | (self._slot << SEQUENCE_BITS) | self._sequence


def time_of(id_: int) -> int:
    """The Unix milliseconds at which an id was made."""
    return id_ >> (SLOT_BITS + SEQUENCE_BITS)


def id_at(unix_ms: int) -> int:
    """The smallest id that could be made at a time: for ranges over ids by time."""
    return unix_ms << (SLOT_BITS + SEQUENCE_BITS)
