"""What a decision does to whoever it is about, and who may decide."""

import asyncio
from functools import partial

import pytest
from sqlalchemy import delete, update
from tests.support.clock import FakeClock
from tests.support.people import People

from folkmoot.accounts.actions import issue_token
from folkmoot.gate import ANONYMOUS, Acting, Action, Gate, Refused, Role, Stamp, Standing, Viewer
from folkmoot.gate.actions import impose, lift, revoke
from folkmoot.gate.model import account_subject
from folkmoot.gate.queries import sanction_of, sanctions_of
from folkmoot.storage.database import Database, Write
from folkmoot.storage.tables.people import accounts


def _permits(gate: Gate, viewer: Viewer, action: Action) -> bool:
    try:
        gate.permit(viewer, action)
    except Refused:
        return False
    return True


async def test_a_lift_needs_a_new_sign_in_and_gives_everything_back(people: People, gate: Gate) -> None:
    account_id = await people.create("reporter")
    token = await people.token(account_id)
    await people.put(account_id, Standing.SUSPENDED)
    await people.put(account_id, Standing.ACTIVE)
    with pytest.raises(Refused, match="invalid"):
        await gate.identify(token)
    viewer = await people.viewer(account_id)
    assert all(_permits(gate, viewer, action) for action in Action if action is not Action.MODERATE)


async def test_a_label_ends_nothing(people: People, gate: Gate) -> None:
    account_id = await people.create("reporter")
    token = await people.token(account_id)
    await people.put(account_id, Standing.LIMITED)
    assert (await gate.identify(token)).standing is Standing.LIMITED


async def test_an_action_sees_the_role_of_now_not_of_the_request(
    people: People, gate: Gate, database: Database
) -> None:
    account_id = await people.create("someone", Role.MODERATOR)
    viewer = await people.viewer(account_id)
    permits = [gate.permit(viewer, action) for action in (Action.DELETE_POST, Action.MODERATE)]
    await _make_member(database, account_id)

    async def role(acting: Acting) -> Role:
        return acting.viewer.role

    assert await gate.act(permits[0], role) is Role.MEMBER
    with pytest.raises(Refused, match="Only moderators"):
        await gate.act(permits[1], role)


async def _make_member(database: Database, account_id: int) -> None:
    async def work(tx: Write) -> None:
        await tx.connection.execute(update(accounts).where(accounts.c.id == account_id).values(role="member"))

    await database.write(work)


async def test_a_permit_for_something_else_bans_nobody(people: People, gate: Gate) -> None:
    moderator, target = await people.create("moderator", Role.MODERATOR), await people.create("target")
    viewer = await people.viewer(moderator)
    permit = gate.permit(viewer, Action.LISTEN)
    with pytest.raises(Refused, match="moderate"):
        await gate.act(permit, lambda acting: impose(acting, target, Standing.SUSPENDED))


async def test_ones_own_standing_is_for_others_to_change(people: People, gate: Gate) -> None:
    moderator = await people.create("moderator", Role.MODERATOR)
    await people.put(moderator, Standing.LIMITED)
    permit = gate.permit(await people.viewer(moderator), Action.MODERATE)
    async with gate.database.read() as read:
        held = await sanctions_of(read, moderator)
    with pytest.raises(Refused, match="somebody else"):
        await gate.act(permit, lambda acting: impose(acting, moderator, Standing.SUSPENDED))
    with pytest.raises(Refused, match="somebody else"):
        await gate.act(permit, lambda acting: lift(acting, moderator, held))


async def test_nobody_deactivates_somebody_else_or_brings_them_back(people: People, gate: Gate) -> None:
    owner, other = await people.create("owner", Role.OWNER), await people.create("other")
    viewer = await people.viewer(owner)
    with pytest.raises(Refused, match="the person themselves"):
        await gate.act(
            gate.permit(viewer, Action.DEACTIVATE), lambda acting: impose(acting, other, Standing.DEACTIVATED)
        )
    await people.put(other, Standing.DEACTIVATED)
    async with gate.database.read() as read:
        held = await sanctions_of(read, other)
    with pytest.raises(Refused, match="the person themselves"):
        await gate.act(gate.permit(viewer, Action.COME_BACK), lambda acting: lift(acting, other, held))


@pytest.mark.parametrize("role", [Role.MODERATOR, Role.OWNER])
async def test_a_moderator_decides_about_members_only(people: People, gate: Gate, role: Role) -> None:
    moderator, above = await people.create("moderator", Role.MODERATOR), await people.create("above", role)
    permit = gate.permit(await people.viewer(moderator), Action.MODERATE)
    with pytest.raises(Refused, match="Only an owner"):
        await gate.act(permit, lambda acting: impose(acting, above, Standing.LIMITED))
    await people.put(above, Standing.LIMITED)
    async with gate.database.read() as read:
        held = await sanctions_of(read, above)
    with pytest.raises(Refused, match="Only an owner"):
        await gate.act(permit, lambda acting: lift(acting, above, held))


async def test_the_same_again_is_one_decision(people: People, gate: Gate) -> None:
    account_id = await people.create("someone")
    for _ in range(2):
        await people.system(lambda acting: impose(acting, account_id, Standing.SUSPENDED, reason="rule 3"))
    async with gate.database.read() as read:
        assert len(await sanctions_of(read, account_id)) == 1


async def test_two_moderators_at_once_with_different_ends(people: People, gate: Gate) -> None:
    """Both decisions stand, whoever comes first: the later end holds, then nothing."""
    account_id, now_ms = await people.create("someone"), gate.database.clock_ms()
    deciders = [await people.create(f"moderator{i}", Role.MODERATOR) for i in range(4)]
    permits = [gate.permit(await people.viewer(one), Action.MODERATE) for one in deciders]
    outcomes = await asyncio.gather(
        *(
            gate.act(permit, partial(_suspend_until, account_id=account_id, until_ms=now_ms + lasts_ms))
            for permit, lasts_ms in zip(permits, (30, 10, 40, 20), strict=True)
        )
    )
    assert max(outcomes) == now_ms + 40
    async with gate.database.read() as read:
        held = await sanctions_of(read, account_id)
        assert {one.decided_by for one in held} == set(deciders)
        assert (await sanction_of(read, account_id) or held[0]).until_ms == now_ms + 40


async def _suspend_until(acting: Acting, *, account_id: int, until_ms: int) -> int:
    return (await impose(acting, account_id, Standing.SUSPENDED, until_ms=until_ms)).until_ms or 0


async def test_what_was_limited_comes_back_limited(people: People, gate: Gate, clock: FakeClock) -> None:
    account_id, until_ms = await people.create("someone"), clock() + 7
    await people.put(account_id, Standing.LIMITED)
    await people.system(lambda acting: impose(acting, account_id, Standing.SUSPENDED, until_ms=until_ms))
    assert (await people.viewer(account_id)).standing is Standing.SUSPENDED
    clock.advance_ms(7)
    assert (await people.viewer(account_id)).standing is Standing.LIMITED


async def test_an_account_that_is_deleted_meanwhile(people: People, database: Database) -> None:
    account_id = await people.create("someone")

    async def work(tx: Write) -> None:
        await tx.connection.execute(delete(accounts).where(accounts.c.id == account_id))

    outcomes = await asyncio.gather(
        people.system(lambda acting: impose(acting, account_id, Standing.SUSPENDED)),
        database.write(work),
        return_exceptions=True,
    )
    assert outcomes[1] is None
    assert not isinstance(outcomes[0], Exception) or getattr(outcomes[0], "code", "") == "not_found"
    with pytest.raises(Refused, match="no such account"):
        await people.system(lambda acting: impose(acting, account_id, Standing.SUSPENDED))


async def test_the_last_owner_stays(people: People) -> None:
    first, second = await people.create("first", Role.OWNER), await people.create("second", Role.OWNER)
    await people.put(second, Standing.SUSPENDED)
    with pytest.raises(Refused, match="last owner"):
        await people.put(first, Standing.SUSPENDED)
    await people.put(second, Standing.ACTIVE)
    await people.put(first, Standing.SUSPENDED)


async def test_two_owners_who_ban_each_other_at_once_do_not_both_succeed(people: People, gate: Gate) -> None:
    ids = [await people.create(name, Role.OWNER) for name in ("one", "two")]
    permits = [gate.permit(await people.viewer(account_id), Action.MODERATE) for account_id in ids]
    outcomes = await asyncio.gather(
        gate.act(permits[0], lambda acting: impose(acting, ids[1], Standing.SUSPENDED)),
        gate.act(permits[1], lambda acting: impose(acting, ids[0], Standing.SUSPENDED)),
        return_exceptions=True,
    )
    assert sorted(isinstance(outcome, Refused) for outcome in outcomes) == [False, True]


async def test_many_decisions_about_one_account_at_once_leave_one(people: People) -> None:
    account_id = await people.create("someone")
    await asyncio.gather(*(people.put(account_id, Standing.SUSPENDED) for _ in range(6)))
    async with people.gate.database.read() as read:
        stamps = await people.gate.stamps(read, ANONYMOUS, [account_subject(account_id)])
    assert stamps == (Stamp(account_subject(account_id), 1),)


async def test_what_was_granted_is_checked_against_the_database(people: People, gate: Gate) -> None:
    account_id = await people.create("listener")
    viewer = await people.viewer(account_id)
    async with gate.database.read() as read:
        stamps = await gate.stamps(read, viewer, ["space:1"])
        await gate.check(read, stamps)
    await people.system(lambda acting: revoke(acting, "space:1"))
    async with gate.database.read() as read:
        with pytest.raises(Refused, match="ended"):
            await gate.check(read, stamps)


async def test_an_expired_an_unknown_and_a_foreign_token_open_nothing(people: People, gate: Gate) -> None:
    account_id = await people.create("someone")
    now_ms = gate.database.clock_ms()
    expired = await people.system(lambda acting: issue_token(acting, account_id, "read", expires_at_ms=now_ms))
    for secret in (expired, "", "unknown"):
        with pytest.raises(Refused) as refusal:
            await gate.identify(secret)
        assert refusal.value.status == 401


async def test_an_applications_own_token_is_nobody(people: People, gate: Gate) -> None:
    viewer = await gate.identify(await people.system(lambda acting: issue_token(acting, None, "read")))
    assert viewer.account_id is None
    with pytest.raises(Refused) as refusal:
        gate.permit(viewer, Action.READ)
    assert refusal.value.status == 401


async def test_what_a_waiting_person_signed_in_with_is_dead_after_a_suspension(people: People, gate: Gate) -> None:
    account_id = await people.create("someone")
    await people.put(account_id, Standing.AWAITING_APPROVAL)
    token = await people.token(account_id)
    await people.put(account_id, Standing.SUSPENDED)
    for standing in (Standing.SUSPENDED, Standing.AWAITING_APPROVAL, Standing.ACTIVE):
        await people.put(account_id, standing)
        with pytest.raises(Refused, match="invalid"):
            await gate.identify(token)
