"""Roles, who is not let in, and how moderators find accounts."""

from typing import Any

import pytest
from sqlalchemy import update
from tests.support.clock import FakeClock
from tests.support.people import People

from folkmoot.accounts.model import Page
from folkmoot.gate import Action, Refused, Role, Standing
from folkmoot.gate.model import account_subject
from folkmoot.gate.queries import counters, role_of
from folkmoot.moderation import actions as moderation
from folkmoot.moderation.members import actions, queries
from folkmoot.moderation.members.model import History, Member, Wanted
from folkmoot.storage.tables.people import credentials


async def counter(people: People, account_id: int) -> int:
    subject = account_subject(account_id)
    async with people.gate.database.read() as read:
        return (await counters(read, [subject]))[subject]


async def change_role(people: People, account_id: int, role: Role) -> Role:
    return await people.system(lambda acting: actions.change_role(acting, account_id, role))


@pytest.mark.parametrize("before", Role)
@pytest.mark.parametrize("after", Role)
async def test_who_loses_a_role_is_signed_out_and_who_gains_one_is_not(
    people: People, before: Role, after: Role
) -> None:
    await people.create("another", Role.OWNER)
    account_id = await people.create("someone", before)
    token = await people.token(account_id)
    assert await change_role(people, account_id, after) is before
    async with people.gate.database.read() as read:
        assert await role_of(read, account_id) is after
    ranks = list(Role)
    if ranks.index(after) < ranks.index(before):
        with pytest.raises(Refused):
            await people.gate.identify(token)
    else:
        assert (await people.gate.identify(token)).role is after


async def test_the_last_owner_stays_one(people: People) -> None:
    owner = await people.create("owner", Role.OWNER)
    other = await people.create("other", Role.OWNER)
    await people.put(other, Standing.SUSPENDED)
    with pytest.raises(Refused) as refusal:
        await change_role(people, owner, Role.MEMBER)
    assert refusal.value.code == "last_owner"
    assert await counter(people, owner) == 0


async def test_only_an_owner_changes_roles(people: People) -> None:
    keeper, member = await people.create("keeper", Role.MODERATOR), await people.create("member")
    owner = await people.create("owner", Role.OWNER)
    for who, may in ((keeper, False), (owner, True)):
        work = people.act(who, Action.MODERATE, lambda acting: actions.change_role(acting, member, Role.MODERATOR))
        if may:
            await work
            continue
        with pytest.raises(Refused, match="Only an owner"):
            await work
    with pytest.raises(Refused) as refusal:
        await change_role(people, 404, Role.MODERATOR)
    assert refusal.value.status == 404


async def test_who_is_not_let_in_leaves_nothing(people: People) -> None:
    waiting = await people.create("waiting")
    await people.put(waiting, Standing.AWAITING_APPROVAL)
    token = await people.token(waiting)
    await people.system(lambda acting: actions.reject(acting, waiting))
    with pytest.raises(Refused):
        await people.gate.identify(token)
    assert await people.create("waiting") != waiting  # the name is free


@pytest.mark.parametrize("standing", [Standing.ACTIVE, Standing.SUSPENDED])
async def test_whoever_does_not_wait_is_not_removed_by_it(people: People, standing: Standing) -> None:
    someone = await people.create("someone")
    await people.put(someone, standing)
    with pytest.raises(Refused, match="doesn't wait"):
        await people.system(lambda acting: actions.reject(acting, someone))


async def found(people: People, **wanted: Any) -> list[str]:
    async with people.gate.database.read() as read:
        ids = await queries.ids(read, Wanted(**wanted), Page(limit=40))
        return [member.account.username for member in await queries.by_ids(read, ids)]


async def test_accounts_are_found_by_what_they_are_called_and_how_they_stand(
    people: People, clock: FakeClock
) -> None:
    ana, bela = await people.create("ana"), await people.create("Bela", Role.MODERATOR)
    cleo = await people.create("cleo_100")
    await people.system(
        lambda acting: acting.tx.connection.execute(
            update(credentials).where(credentials.c.account_id == bela).values(email="Bela@mail.test")
        )
    )
    await people.put(ana, Standing.SUSPENDED, clock() + 10)
    await people.put(cleo, Standing.LIMITED)
    assert await found(people) == ["cleo_100", "Bela", "ana"]
    assert await found(people, anything="@BEL") == ["Bela"]
    assert await found(people, anything="mail.test") == ["Bela"]
    assert await found(people, email="mail.test", username="ana") == []
    assert await found(people, username="_1") == ["cleo_100"], "no wildcard"
    assert await found(people, standing=Standing.SUSPENDED) == ["ana"]
    assert await found(people, standing=Standing.ACTIVE) == ["Bela"]
    assert await found(people, roles=frozenset({Role.MODERATOR})) == ["Bela"]
    clock.advance_ms(10)
    assert await found(people, standing=Standing.ACTIVE) == ["Bela", "ana"]


async def test_one_account_with_its_history(people: People, clock: FakeClock) -> None:
    keeper, someone = await people.create("keeper", Role.MODERATOR), await people.create("someone")
    await people.token(someone)
    await people.act(keeper, Action.MODERATE, lambda acting: moderation.suspend(acting, someone, reason="rule 3"))
    clock.advance_ms(1)
    await people.act(keeper, Action.MODERATE, lambda acting: moderation.reinstate(acting, someone))
    clock.advance_ms(1)
    await people.act(keeper, Action.MODERATE, lambda acting: moderation.limit(acting, someone, reason="rule 4"))
    alive = [await people.token(someone) for _ in range(2)]
    assert len(set(alive)) == 2
    async with people.gate.database.read() as read:
        (member,) = await queries.by_ids(read, [someone])
        history = await queries.history(read, someone, judge_id=keeper)
    assert isinstance(member, Member)
    assert (member.sanction.standing, member.kinds) == (Standing.LIMITED, frozenset({Standing.LIMITED}))
    assert [(one.standing, one.reason, one.lifted_by) for one in history.sanctions] == [
        (Standing.LIMITED, "rule 4", None),
        (Standing.SUSPENDED, "rule 3", keeper),
    ]
    assert history == History(history.sanctions, sessions=2, programs=0, open_reports=0, reports=0)
