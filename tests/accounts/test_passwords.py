"""Hashing in threads, a few at a time."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from argon2 import PasswordHasher
from tests.support.waiting import PATIENCE_S, eventually

from folkmoot.accounts.passwords import AT_ONCE, WAITING_MAX, Passwords
from folkmoot.gate import Refused


class SlowHasher(PasswordHasher):
    """Verifies when it is let, and counts how many are at it."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.go_on = threading.Event()
        self.lock = threading.Lock()
        self.now = 0
        self.most = 0

    def verify(self, *stored_and_password: Any, **named: Any) -> Literal[True]:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.go_on.wait(PATIENCE_S)
        with self.lock:
            self.now -= 1
        return super().verify(*stored_and_password, **named)


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    yield passwords
    passwords.close()


async def test_the_right_one_and_the_wrong_one(passwords: Passwords) -> None:
    stored = await passwords.hash("correct horse")
    assert stored.startswith("$argon2id$")
    assert await passwords.verify("correct horse", stored)
    assert not await passwords.verify("correct horsf", stored)
    assert not await passwords.verify("correct horse" * 100, stored)
    assert not await passwords.verify("\ud800", stored)
    assert not await passwords.verify("correct horse", "no hash at all")


async def test_different_keyboards_one_password(passwords: Passwords) -> None:
    stored = await passwords.hash("caf\u00e9 au lait")
    assert await passwords.verify("cafe\u0301 au lait", stored)


async def test_nobody_is_verified_with_the_same_work(passwords: Passwords) -> None:
    assert not await passwords.verify("nobody's password", None)
    assert not await passwords.verify("anything", None)


async def test_a_flood_holds_bounded_memory() -> None:
    hasher = SlowHasher()
    passwords = Passwords(hasher)
    stored = hasher.hash("correct horse")
    waiting = [asyncio.create_task(passwords.verify("correct horse", stored)) for _ in range(WAITING_MAX)]
    await eventually(lambda: hasher.now == AT_ONCE)
    with pytest.raises(Refused) as refusal:
        await passwords.verify("correct horse", stored)
    assert refusal.value.status == 503
    hasher.go_on.set()
    assert all(await asyncio.gather(*waiting))
    assert hasher.most == AT_ONCE
    assert await passwords.verify("correct horse", stored)
    passwords.close()


def test_the_program_hashes_as_rfc_9106_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    # Where others of this process had theirs hashed quickly.
    monkeypatch.setattr("folkmoot.accounts.passwords.PasswordHasher", PasswordHasher)
    passwords = Passwords()
    stored = passwords._hasher.hash("correct horse")
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    passwords.close()
