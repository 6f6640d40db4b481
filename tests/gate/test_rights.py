"""For any sequence of sanctions and lifts, what a person can do is what the table says for the present standing."""

import asyncio
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from tests.support.clock import FakeClock
from tests.support.people import People

from folkmoot.accounts.actions import issue_token
from folkmoot.gate import (
    ANONYMOUS,
    Acting,
    Action,
    Facts,
    Gate,
    Permit,
    Refused,
    Role,
    Stamp,
    Standing,
    Viewer,
)
from folkmoot.gate.actions import change_standing, revoke
from folkmoot.gate.model import account_subject, token_subject
from folkmoot.gate.standings import ENDING, TABLE, Shown, effective, loses_rights
from folkmoot.storage.database import Database, Write
from folkmoot.storage.tables import accounts


class Card(msgspec.Struct, frozen=True):
    """Something that an account published."""

    owner_id: int

    def gate_facts(self) -> Facts:
        return Facts((self.owner_id,))


class Put(NamedTuple):
    """A moderator changes the standing, for a time or not."""

    standing: Standing
    lasts_ms: int | None


class Wait(NamedTuple):
    duration_ms: int


class SignIn(NamedTuple):
    pass


class Revoke(NamedTuple):
    """The newest token is given back."""


STEPS = st.lists(
    st.one_of(
        st.builds(Put, st.sampled_from(Standing), st.none() | st.integers(1, 5)),
        st.builds(Wait, st.integers(1, 5)),
        st.builds(SignIn),
        st.builds(Revoke),
    ),
    max_size=6,
)


class Person:
    """What the model believes of one account: its standing, and which tokens are still good."""

    def __init__(self, account_id: int, now_ms: int) -> None:
        self.account_id = account_id
        self.now_ms = now_ms
        self._standing = Standing.ACTIVE
        self._until_ms: int | None = None
        self.good: list[str] = []
        self.dead: list[str] = []
        self.permits: dict[str, list[Permit]] = {}

    @property
    def standing(self) -> Standing:
        return effective(self._standing, self._until_ms, self.now_ms)

    def takes(self, put: Put) -> bool:
        """Whether the change is one that can be made."""
        return put.lasts_ms is None or (put.standing in ENDING and self.standing in ENDING | {Standing.ACTIVE})

    def put(self, put: Put) -> None:
        if loses_rights(self.standing, put.standing):
            self.dead += self.good
            self.good = []
        self._standing = put.standing
        self._until_ms = None if put.lasts_ms is None else self.now_ms + put.lasts_ms


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, role=st.sampled_from([Role.MEMBER, Role.MODERATOR]), data=st.data())
async def test_what_a_person_can_do_is_what_the_table_says_now(
    steps: list[Put | Wait | SignIn | Revoke],
    role: Role,
    data: st.DataObject,
    people: People,
    clock: FakeClock,
) -> None:
    name = f"p{people.gate.database.ids.next()}"
    person = Person(await people.create(name, role), clock())
    for step in [SignIn(), *steps]:
        await _take(step, person, people, clock)
        await _check(person, people.gate, role, data.draw(st.sampled_from(Action)))


async def _take(step: Put | Wait | SignIn | Revoke, person: Person, people: People, clock: FakeClock) -> None:
    match step:
        case Put(standing, lasts_ms):
            until_ms = None if lasts_ms is None else clock() + lasts_ms
            if person.takes(step):
                assert await people.put(person.account_id, standing, until_ms) is person.standing
                person.put(step)
            else:
                with pytest.raises(Refused, match="leave the end out"):
                    await people.put(person.account_id, standing, until_ms)
        case Wait(duration_ms):
            clock.advance_ms(duration_ms)
            person.now_ms = clock()
        case SignIn():
            token = await people.token(person.account_id)
            viewer = await people.gate.identify(token)
            kept = TABLE[person.standing].actions - {Action.MODERATE}
            person.permits[token] = [people.gate.permit(viewer, action) for action in kept]
            person.good.append(token)
        case Revoke() if person.good:
            token = person.good.pop()
            viewer = await people.gate.identify(token)
            subject = token_subject(viewer.token_id or 0)
            await people.system(lambda acting: revoke(acting, subject))
            person.dead.append(token)


async def _check(person: Person, gate: Gate, role: Role, action: Action) -> None:
    kept = TABLE[person.standing].actions
    allowed = {a for a in kept if a is not Action.MODERATE or role is Role.MODERATOR}
    for token in person.dead:
        with pytest.raises(Refused) as refusal:
            await gate.identify(token)
        assert refusal.value.status == 401
    for token in person.good:
        viewer = await gate.identify(token)
        assert {a for a in Action if _permits(gate, viewer, a)} == allowed
        own, foreign = Card(person.account_id), Card(0)
        async with gate.database.read() as read:
            assert bool(await gate.admit(read, viewer, [own])) == (Action.READ in kept)
            assert await gate.admit(read, viewer, [foreign]) == []
    # Permits that were given long ago, in whatever standing: the transaction asks again.
    for token, permits in person.permits.items():
        for permit in permits:
            if permit.action is action:
                good = token in person.good and action in allowed
                assert await _acts(gate, permit) == good
    async with gate.database.read() as read:
        seen = bool(await gate.admit(read, ANONYMOUS, [Card(person.account_id)]))
    assert seen == (TABLE[person.standing].shown is Shown.EVERYONE)


def _permits(gate: Gate, viewer: Viewer, action: Action) -> bool:
    try:
        gate.permit(viewer, action)
    except Refused:
        return False
    return True


async def _acts(gate: Gate, permit: Permit) -> bool:
    async def nothing(acting: Acting) -> None:
        assert acting.viewer.standing in Standing

    try:
        await gate.act(permit, nothing)
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
        await gate.act(permit, lambda acting: change_standing(acting, target, Standing.SUSPENDED))


@pytest.mark.parametrize("standing", [Standing.SUSPENDED, Standing.ACTIVE])
async def test_ones_own_standing_is_for_others_to_change(people: People, gate: Gate, standing: Standing) -> None:
    moderator = await people.create("moderator", Role.MODERATOR)
    await people.put(moderator, Standing.LIMITED)
    permit = gate.permit(await people.viewer(moderator), Action.MODERATE)
    with pytest.raises(Refused, match="somebody else"):
        await gate.act(permit, lambda acting: change_standing(acting, moderator, standing))


async def test_the_last_owner_stays(people: People) -> None:
    first, second = await people.create("first", Role.OWNER), await people.create("second", Role.OWNER)
    await people.put(second, Standing.SUSPENDED)
    with pytest.raises(Refused, match="last owner"):
        await people.put(first, Standing.SUSPENDED)
    await people.put(second, Standing.ACTIVE)
    await people.put(first, Standing.SUSPENDED)


async def test_two_moderators_who_ban_each_other_at_once_do_not_both_succeed(people: People, gate: Gate) -> None:
    ids = [await people.create(name, Role.MODERATOR) for name in ("one", "two")]
    permits = [gate.permit(await people.viewer(account_id), Action.MODERATE) for account_id in ids]
    outcomes = await asyncio.gather(
        gate.act(permits[0], lambda acting: change_standing(acting, ids[1], Standing.SUSPENDED)),
        gate.act(permits[1], lambda acting: change_standing(acting, ids[0], Standing.SUSPENDED)),
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
