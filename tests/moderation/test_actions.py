"""Decisions about accounts: said why, the stricter end holds, and nobody's other decision is undone by the way."""

import pytest
from tests.support.clock import FakeClock
from tests.support.people import People

from folkmoot.gate import Action, Refused, Role, Standing
from folkmoot.gate.queries import sanction_of
from folkmoot.gate.standings import TABLE
from folkmoot.moderation import actions as moderation
from folkmoot.moderation.queries import Listed, all_accounts

DAY_MS = 86_400_000


async def suspend(
    people: People, account_id: int, reason: str = "rule 3", until_ms: int | None = None
) -> int | None:
    held = await people.system(
        lambda acting: moderation.suspend(acting, account_id, reason=reason, until_ms=until_ms)
    )
    return held.until_ms


async def sanction(people: People, account_id: int) -> tuple[Standing, str, int | None]:
    async with people.gate.database.read() as read:
        held = await sanction_of(read, account_id)
    assert held is not None
    return held.standing, held.reason, held.until_ms


ACTIVE = (Standing.ACTIVE, "", None)


async def test_a_suspension_says_why_and_until_when(people: People, clock: FakeClock) -> None:
    account_id = await people.create("someone")
    until_ms = clock() + DAY_MS
    assert await suspend(people, account_id, " rule 3:\nan address ", until_ms) == until_ms
    assert await sanction(people, account_id) == (
        Standing.SUSPENDED,
        "rule 3:\nan address",
        until_ms,
    )
    clock.advance_ms(DAY_MS)
    assert await sanction(people, account_id) == ACTIVE


@pytest.mark.parametrize("reason", ["", " \n", "a\x1b[2Jb", "x" * 2001])
async def test_a_suspension_without_a_reason_one_can_read_is_none(people: People, reason: str) -> None:
    account_id = await people.create("someone")
    with pytest.raises(Refused) as refusal:
        await suspend(people, account_id, reason)
    assert refusal.value.status == 422
    assert await sanction(people, account_id) == ACTIVE


@pytest.mark.parametrize(("first", "second", "holds"), [(1, 2, 2), (2, 1, 2), (None, 1, None), (1, None, None)])
async def test_of_two_suspensions_the_stricter_end_holds(
    people: People, clock: FakeClock, first: int | None, second: int | None, holds: int | None
) -> None:
    account_id = await people.create("someone")
    ends = {days: None if days is None else clock() + days * DAY_MS for days in (first, second)}
    await suspend(people, account_id, "one", ends[first])
    assert await suspend(people, account_id, "other", ends[second]) == ends[holds]


async def test_an_end_lies_ahead(people: People, clock: FakeClock) -> None:
    account_id = await people.create("someone")
    with pytest.raises(Refused, match="ahead"):
        await suspend(people, account_id, "rule 3", clock())


@pytest.mark.parametrize("below", [Standing.AWAITING_APPROVAL, Standing.DEACTIVATED, Standing.LIMITED])
async def test_an_end_lets_in_nobody_whom_something_else_keeps_out(
    people: People, clock: FakeClock, below: Standing
) -> None:
    account_id = await people.create("someone")
    await people.put(account_id, below)
    await suspend(people, account_id, "rule 3", clock() + 1)
    assert (await sanction(people, account_id))[0] is Standing.SUSPENDED
    clock.advance_ms(1)
    assert (await sanction(people, account_id))[0] is below


async def test_one_kind_is_lifted_at_a_time(people: People) -> None:
    account_id = await people.create("someone")
    await people.system(lambda acting: moderation.limit(acting, account_id, reason="loud"))
    await suspend(people, account_id, "one")
    await suspend(people, account_id, "other")
    await people.system(lambda acting: moderation.reinstate(acting, account_id, Standing.LIMITED))
    assert (await sanction(people, account_id))[0] is Standing.SUSPENDED
    await people.system(lambda acting: moderation.reinstate(acting, account_id))
    assert await sanction(people, account_id) == ACTIVE


@pytest.mark.parametrize("standing", TABLE)
async def test_what_can_be_lifted(people: People, standing: Standing) -> None:
    account_id = await people.create("someone")
    await people.put(account_id, standing)
    if standing in (Standing.LIMITED, Standing.SUSPENDED, Standing.LOCKED):
        after = await people.system(lambda acting: moderation.reinstate(acting, account_id))
        assert after.standing is Standing.ACTIVE
        assert await sanction(people, account_id) == ACTIVE
        return
    with pytest.raises(Refused) as refusal:
        await people.system(lambda acting: moderation.reinstate(acting, account_id))
    assert refusal.value.status == 422


@pytest.mark.parametrize("standing", TABLE)
async def test_who_can_be_approved(people: People, standing: Standing) -> None:
    account_id = await people.create("someone")
    await people.put(account_id, standing)
    if standing is Standing.AWAITING_APPROVAL:
        await people.system(lambda acting: moderation.approve(acting, account_id))
        assert await sanction(people, account_id) == ACTIVE
        return
    with pytest.raises(Refused, match="doesn't wait"):
        await people.system(lambda acting: moderation.approve(acting, account_id))


async def test_nobody_who_does_not_exist(people: People) -> None:
    for decision in (
        people.system(lambda acting: moderation.reinstate(acting, 404)),
        people.system(lambda acting: moderation.approve(acting, 404)),
        suspend(people, 404),
    ):
        with pytest.raises(Refused) as refusal:
            await decision
        assert refusal.value.status == 404


async def test_moderators_only(people: People) -> None:
    member, target = await people.create("member"), await people.create("target")
    viewer = await people.viewer(member)
    with pytest.raises(Refused, match="Only moderators"):
        people.gate.permit(viewer, Action.MODERATE)
    permit = people.gate.permit(viewer, Action.TAKE_PART)
    with pytest.raises(Refused, match="moderate"):
        await people.gate.act(permit, lambda acting: moderation.suspend(acting, target, reason="rule 3"))


async def test_the_list_has_everybody_as_they_are(people: People, clock: FakeClock) -> None:
    await people.create("Bela", Role.OWNER)
    ended, held = await people.create("ana"), await people.create("cleo")
    until_ms = clock() + 1
    await suspend(people, ended, "over", until_ms)
    await suspend(people, held, "rule 3")
    clock.advance_ms(1)
    async with people.gate.database.read() as read:
        assert await all_accounts(read) == [
            Listed("ana", Role.MEMBER, Standing.ACTIVE, None, ""),
            Listed("Bela", Role.OWNER, Standing.ACTIVE, None, ""),
            Listed("cleo", Role.MEMBER, Standing.SUSPENDED, None, "rule 3"),
        ]
