"""Once, by whoever stands under it, and answered once, whoever tries at the same moment."""

import asyncio
from functools import partial

import pytest
from tests.support.people import People

from folkmoot.gate import Acting, Action, Refused, Role, Standing
from folkmoot.gate.model import Sanction
from folkmoot.gate.queries import sanction_of, sanctions_of
from folkmoot.moderation import actions as moderation
from folkmoot.moderation.appeals import queries
from folkmoot.moderation.appeals.actions import appeal, decide_appeal
from folkmoot.moderation.appeals.model import AppealState


async def suspended(people: People) -> int:
    account_id = await people.create("reporter")
    await people.system(lambda acting: moderation.suspend(acting, account_id, reason="rule 3"))
    return account_id


async def newest(people: People, account_id: int) -> Sanction:
    async with people.gate.database.read() as read:
        return (await sanctions_of(read, account_id))[0]


async def _appeal(acting: Acting, *, sanction_id: int, text: str) -> None:
    await appeal(acting, sanction_id, text)


async def _decide(acting: Acting, *, appeal_id: int, granted: bool) -> None:
    await decide_appeal(acting, appeal_id, granted=granted, answer="We looked.")


async def test_of_several_at_once_one_is_made_and_one_answer_holds(people: People) -> None:
    account_id = await suspended(people)
    sanction = await newest(people, account_id)
    tried = [
        people.act(account_id, Action.APPEAL, partial(_appeal, sanction_id=sanction.id, text=f"No. {i}"))
        for i in range(3)
    ]
    outcomes = await asyncio.gather(*tried, return_exceptions=True)
    assert sorted(getattr(one, "code", "made") for one in outcomes) == ["appealed_already"] * 2 + ["made"]
    async with people.gate.database.read() as read:
        (case,) = await queries.waiting(read)
    deciders = [await people.create(f"keeper{i}", Role.MODERATOR) for i in range(2)]
    answers = await asyncio.gather(
        *(
            people.act(one, Action.MODERATE, partial(_decide, appeal_id=case.appeal.id, granted=granted))
            for one, granted in zip(deciders, (True, False), strict=True)
        ),
        return_exceptions=True,
    )
    assert sorted(getattr(one, "code", "decided") for one in answers) == ["decided", "decided_already"]
    async with people.gate.database.read() as read:
        decided = (await queries.of_account(read, account_id))[sanction.id]
        now = await sanction_of(read, account_id)
    assert now is not None
    # No half-done state: what the answer says is how the account stands.
    expected = Standing.ACTIVE if decided.state is AppealState.GRANTED else Standing.SUSPENDED
    assert now.standing is expected


async def test_granted_it_lifts_one_sanction_and_no_other(people: People) -> None:
    account_id = await suspended(people)
    first = await newest(people, account_id)
    await people.system(lambda acting: moderation.suspend(acting, account_id, reason="rule 1"))
    await people.act(account_id, Action.APPEAL, partial(_appeal, sanction_id=first.id, text="No."))
    async with people.gate.database.read() as read:
        (case,) = await queries.waiting(read)
    keeper = await people.create("keeper", Role.MODERATOR)
    await people.act(keeper, Action.MODERATE, partial(_decide, appeal_id=case.appeal.id, granted=True))
    async with people.gate.database.read() as read:
        now = await sanction_of(read, account_id)
        lifted = [one.lifted_by for one in await sanctions_of(read, account_id)]
    assert now is not None
    assert (now.standing, now.reason) == (Standing.SUSPENDED, "rule 1")
    assert lifted == [None, keeper]


@pytest.mark.parametrize("standing", [Standing.AWAITING_APPROVAL, Standing.DEACTIVATED])
async def test_what_nobody_decided_against_one_has_no_appeal(people: People, standing: Standing) -> None:
    account_id = await people.create("reporter")
    await people.put(account_id, standing)
    sanction = await newest(people, account_id)
    with pytest.raises(Refused, match="no appeal against this"):
        await people.act(account_id, Action.APPEAL, partial(_appeal, sanction_id=sanction.id, text="No."))


async def test_an_appeal_is_over_with_what_it_is_against(people: People) -> None:
    account_id = await suspended(people)
    sanction = await newest(people, account_id)
    await people.act(account_id, Action.APPEAL, partial(_appeal, sanction_id=sanction.id, text="No."))
    async with people.gate.database.read() as read:
        (case,) = await queries.waiting(read)
    await people.system(lambda acting: moderation.reinstate(acting, account_id))
    keeper = await people.create("keeper", Role.MODERATOR)
    with pytest.raises(Refused, match="is over"):
        await people.act(keeper, Action.MODERATE, partial(_decide, appeal_id=case.appeal.id, granted=True))
    with pytest.raises(Refused, match="no such appeal"):
        await people.act(keeper, Action.MODERATE, partial(_decide, appeal_id=5, granted=True))
    async with people.gate.database.read() as read:
        assert await queries.waiting(read) == []
