"""What is looked at when garbage is looked for."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from folkmoot.serve.garbage import Sparing

pytestmark = pytest.mark.slow  # each looks through all that the tests have loaded


class Ring:
    """Refers to itself: its reference count alone never ends it."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def sparing() -> Iterator[Sparing]:
    sparing = Sparing()
    sparing.start()
    yield sparing
    sparing.stop()


def set_aside_and_lost() -> "weakref.ref[Ring]":
    ring = Ring()
    gc.collect()
    return weakref.ref(ring)


@pytest.mark.usefixtures("sparing")
def test_what_was_found_alive_is_not_visited_again() -> None:
    ring = Ring()
    gc.collect()
    assert not any(one is ring for one in gc.get_objects())
    assert gc.get_freeze_count() > 0


@pytest.mark.usefixtures("sparing")
def test_new_garbage_goes_as_ever() -> None:
    gone = weakref.ref(Ring())
    gc.collect()
    assert gone() is None


def test_what_was_set_aside_is_looked_at_again_when_it_has_become_much(sparing: Sparing) -> None:
    gone = set_aside_and_lost()
    gc.collect()
    assert gone() is not None
    sparing.again_at = 1e-9
    gc.collect()
    assert gone() is None
    assert gc.get_freeze_count() > 0  # and what lives is aside again


def test_garbage_is_never_more_than_what_lives(sparing: Sparing) -> None:
    """However long a process has been going, and however its memory has grown."""
    sparing.again_at = 0.02  # or it would take a million of them
    lived = gc.get_freeze_count()
    most = 0
    for _ in range(9):
        rings = [Ring() for _ in range(int(lived * 0.01))]
        gc.collect()
        del rings
        most = max(most, gc.get_freeze_count())
    assert 1.01 < most / lived < 1.06
