"""Many sockets, each under its own key: what is full, what is broken, and what goes out in pieces."""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.audience.records import RECORDS_MAX, SUITES, Sealing
from folkmoot.audience.sealed import SLOTS, SealedEmit

SUITE = "TLS_AES_128_GCM_SHA256"


class Wire:
    """A `SendEach` whose sockets have so much room (None: all there is), or are broken (-1)."""

    def __init__(self) -> None:
        self.sent: dict[int, bytearray] = {}
        self.room: dict[int, int] = {}

    def __call__(self, sockets: Sequence[int], buffers: Sequence[memoryview]) -> list[tuple[int, int | None]]:
        short: list[tuple[int, int | None]] = []
        for place, (socket, buffer) in enumerate(zip(sockets, buffers, strict=True)):
            room = self.room.get(socket, len(buffer))
            taken = min(room, len(buffer))
            if taken > 0:
                self.sent.setdefault(socket, bytearray()).extend(buffer[:taken])
            if taken < len(buffer):
                short.append((place, None if room < 0 else taken))
        return short

    def opened(self, socket: int, first: int) -> Iterator[bytes]:
        """The plaintext of each whole record: fails at the first that isn't the next one."""
        stream, number = bytes(self.sent.get(socket, b"")), first
        cipher = SUITES[SUITE].cipher(key(socket))
        while stream:
            end = 5 + int.from_bytes(stream[3:5], "big")
            yield cipher.decrypt(number.to_bytes(12, "big"), stream[5:end], stream[:5])[:-1]
            stream, number = stream[end:], number + 1


def key(socket: int) -> bytes:
    return bytes([socket % 256]) * 16


def emit_to(wire: Wire, sockets: Sequence[int]) -> SealedEmit:
    emit = SealedEmit(wire)
    for socket in sockets:
        emit.take(socket, Sealing(SUITE, key(socket), bytes(12), socket))
    return emit


@pytest.mark.parametrize("count", [0, 1, SLOTS, 3 * SLOTS + 1])
def test_each_gets_the_same_under_its_own_key(count: int) -> None:
    wire, sockets = Wire(), range(count)
    emit = emit_to(wire, sockets)
    assert emit.write(sockets, b"one") == []
    assert emit.write(sockets, b"two" * 10_000) == []
    for socket in sockets:
        assert b"".join(wire.opened(socket, socket)) == b"one" + b"two" * 10_000


def test_what_was_full_skips_without_a_gap_in_the_numbers() -> None:
    wire, sockets = Wire(), [1, 2, 3]
    emit = emit_to(wire, sockets)
    wire.room = {2: 0, 3: -1}
    assert emit.write(sockets, b"first") == [(2, b""), (3, None)]
    wire.room = {}
    assert emit.write([1, 2], b"second") == []
    assert list(wire.opened(1, 1)) == [b"first", b"second"]
    assert list(wire.opened(2, 2)) == [b"second"]


@given(st.integers(1, 5 + 5 + 1 + 16 - 1))
def test_what_went_out_in_part_goes_on_as_it_was(taken: int) -> None:
    wire = Wire()
    emit = emit_to(wire, [1])
    wire.room = {1: taken}
    ((socket, rest),) = emit.write([1], b"first")
    assert socket == 1
    assert rest
    wire.sent[1].extend(rest)  # what `resume` does
    wire.room = {}
    emit.write([1], b"second")
    assert list(wire.opened(1, 1)) == [b"first", b"second"]


def test_a_worn_key_is_a_broken_socket_and_the_others_get_theirs() -> None:
    wire = Wire()
    emit = emit_to(wire, [1, 3])
    emit.take(2, Sealing(SUITE, key(2), bytes(12), RECORDS_MAX))
    assert emit.write([1, 2, 3], b"data") == [(2, None)]
    assert list(wire.opened(3, 3)) == [b"data"]


def test_the_state_is_passed_on() -> None:
    wire = Wire()
    emit = emit_to(wire, [1])
    emit.write([1], b"first")
    other = SealedEmit(wire)
    other.take(1, emit.sealing(1))
    other.write([1], b"second")
    other.forget(1)
    other.forget(1)
    assert list(wire.opened(1, 1)) == [b"first", b"second"]
