"""One decision about many accounts: in short transactions, whoever is refused; stopped, the same again goes on."""

from collections.abc import Callable
from functools import partial

import pytest
from tests.support.clock import FakeClock
from tests.support.people import People

from folkmoot.gate import Action, Role, Standing
from folkmoot.gate.queries import sanctions_of, standings_of
from folkmoot.moderation import actions as moderation
from folkmoot.moderation.many import TRANSACTION_S, Batch, decide_about

SUSPEND = partial(moderation.suspend, reason="spam")


@pytest.fixture
async def crowd(people: People) -> list[int]:
    return [await people.create(f"spammer{number}") for number in range(7)]


def takes(decision_s: float) -> Callable[[], float]:
    """A clock by which one decision takes so long: it is read before the first and after each."""
    readings = iter(range(1_000))
    return lambda: next(readings) * decision_s


async def decide(people: People, account_ids: list[int], decision_s: float, batches_max: int = 100) -> list[Batch]:
    permit = people.gate.permit_system(Action.MODERATE, "test")
    batches: list[Batch] = []
    async for batch in decide_about(people.gate, permit, account_ids, SUSPEND, takes(decision_s)):
        batches.append(batch)
        if len(batches) == batches_max:
            break
    return batches


async def suspended(people: People, account_ids: list[int]) -> list[bool]:
    async with people.gate.database.read() as read:
        now = await standings_of(read, account_ids)
    return [now[one] is Standing.SUSPENDED for one in account_ids]


@pytest.mark.parametrize(
    ("decision_s", "sizes"), [(TRANSACTION_S / 3.5, [4, 3]), (TRANSACTION_S * 2, [1] * 7), (0.0, [7])]
)
async def test_a_transaction_ends_when_its_time_is_over(
    people: People, crowd: list[int], decision_s: float, sizes: list[int]
) -> None:
    batches = await decide(people, crowd, decision_s)
    assert [len(batch.decided) for batch in batches] == sizes
    assert all(await suspended(people, crowd))


async def test_stopped_the_same_again_goes_on_and_decides_nothing_twice(
    people: People, crowd: list[int], clock: FakeClock
) -> None:
    await decide(people, crowd, TRANSACTION_S / 2, batches_max=1)
    assert await suspended(people, crowd) == [True] * 2 + [False] * 5
    clock.advance_ms(60_000)
    await decide(people, crowd, 0.0)
    assert all(await suspended(people, crowd))
    async with people.gate.database.read() as read:
        assert [len(await sanctions_of(read, one)) for one in crowd] == [1] * 7


async def test_who_is_refused_holds_nobody_up(people: People, crowd: list[int]) -> None:
    owner = await people.create("olga", Role.OWNER)
    (batch,) = await decide(people, [crowd[0], owner, 5, crowd[1]], 0.0)
    assert batch.decided == crowd[:2]
    assert set(batch.refused) == {owner, 5}
    assert "last owner" in batch.refused[owner]
    assert await suspended(people, [*crowd[:2], owner]) == [True, True, False]


async def test_nobody_is_decided_about_in_no_transaction(people: People) -> None:
    assert await decide(people, [], 0.0) == []
