"""A flood spends its own allowance."""

import struct

from hypothesis import given
from hypothesis import strategies as st

from folkmoot.stage.admission import IncomingGate, TokenBucket


def rtp(payload_type: int = 111, ssrc: int = 1) -> bytes:
    return struct.pack("!BBHII", 0x80, payload_type, 0, 0, ssrc) + b"sound"


def test_a_bucket_lets_the_rate_through() -> None:
    bucket = TokenBucket(per_second=100, burst=10)
    passed = sum(bucket.take(now_ms) for now_ms in range(10_000))
    assert 1000 <= passed <= 1010


def test_a_flood_of_sound_is_cut_to_about_100_a_second() -> None:
    gate = IncomingGate(payload_type=111)
    passed = sum(gate.admit(rtp(), now_ms / 10) for now_ms in range(100_000))
    assert passed <= 1050 + 60
    assert gate.refused == 100_000 - passed


def test_normal_sound_is_never_cut() -> None:
    gate = IncomingGate(payload_type=111)
    assert all(gate.admit(rtp(), now_ms) for now_ms in range(0, 60_000, 10))


def test_other_payload_types_and_many_ssrcs_are_refused() -> None:
    gate = IncomingGate(payload_type=111)
    assert not gate.admit(rtp(payload_type=96), 0)
    passed = sum(gate.admit(rtp(ssrc=ssrc), ssrc * 20) for ssrc in range(100))
    assert passed == 8


@given(st.lists(st.tuples(st.binary(max_size=2000), st.floats(0, 1e6))))
def test_any_datagram_gets_an_answer(datagrams: list[tuple[bytes, float]]) -> None:
    gate = IncomingGate(payload_type=111)
    now_ms = 0.0
    for data, passes_ms in datagrams:
        now_ms += passes_ms
        assert gate.admit(data, now_ms) in (True, False)
