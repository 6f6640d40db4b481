"""What is looked at when garbage is looked for."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from folkmoot.serve.garbage import GROWN, Sparing, resident_bytes


class Memory:
    def __init__(self) -> None:
        self.bytes = 100_000_000

    def __call__(self) -> int:
        return self.bytes


class Ring:
    """Refers to itself: its reference count alone never ends it."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def memory() -> Iterator[Memory]:
    memory = Memory()
    sparing = Sparing(memory)
    sparing.start()
    yield memory
    sparing.stop()


def test_what_was_found_alive_is_not_visited_again(memory: Memory) -> None:
    ring = Ring()
    gc.collect()
    assert not any(one is ring for one in gc.get_objects())
    assert gc.get_freeze_count() > 0


def test_new_garbage_goes_as_ever(memory: Memory) -> None:
    gone = weakref.ref(Ring())
    gc.collect()
    assert gone() is None


def test_what_was_set_aside_goes_when_memory_has_grown(memory: Memory) -> None:
    ring = Ring()
    gc.collect()
    gone = weakref.ref(ring)
    del ring
    memory.bytes = int(memory.bytes * GROWN) - 1
    gc.collect()
    assert gone() is not None
    memory.bytes += 1
    gc.collect()
    assert gone() is None
    assert gc.get_freeze_count() > 0  # and what lives is aside again


def test_resident_memory_is_this_process() -> None:
    assert 5_000_000 < resident_bytes() < 50_000_000_000
