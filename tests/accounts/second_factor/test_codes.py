"""Codes by time, against the test vectors of RFC 6238, and what people type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.accounts.second_factor import codes

SECRET = b"12345678901234567890"
# RFC 6238, appendix B: the last six of the eight digits.
VECTORS = {59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 20000000000: "353130"}


@pytest.mark.parametrize(("now_s", "code"), VECTORS.items())
def test_the_vectors_of_rfc_6238(now_s: int, code: str) -> None:
    assert codes.code_at(SECRET, now_s * 1000) == code
    assert codes.step_of(SECRET, code, now_s * 1000, 0) == now_s // 30


@given(st.integers(10**12, 2 * 10**12), st.integers(-5, 5))
def test_a_code_is_good_for_a_step_around_and_once(now_ms: int, steps: int) -> None:
    code = codes.code_at(SECRET, now_ms + steps * codes.STEP_MS)
    step = codes.step_of(SECRET, code, now_ms, 0)
    if abs(steps) <= codes.STEPS_AROUND:
        assert step is not None
        assert codes.step_of(SECRET, code, now_ms, step) != step
    elif step is not None:  # one in a million is the same as another
        assert codes.code_at(SECRET, step * codes.STEP_MS) == code


@given(st.text())
def test_whatever_is_typed_is_wrong_or_a_code(text: str) -> None:
    step = codes.step_of(SECRET, codes.plain_code(text), 59_000, 0)
    assert step is None or codes.plain_code(text) in {codes.code_at(SECRET, at * 30_000) for at in (0, 1, 2)}


def test_a_secret_is_sealed_for_one_account() -> None:
    seal = codes.Seal(bytes(32))
    sealed = seal.close(7, SECRET)
    assert SECRET not in sealed
    assert seal.open(7, sealed) == SECRET
    assert seal.open(8, sealed) is None
    assert codes.Seal(b"k" * 32).open(7, sealed) is None
    assert seal.open(7, b"") is None


def test_recovery_codes_are_found_however_they_are_written() -> None:
    made = codes.new_recovery_codes()
    assert len(set(made)) == codes.RECOVERY_CODES
    assert codes.plain_code(made[0].upper().replace("-", " ")) == codes.plain_code(made[0])
