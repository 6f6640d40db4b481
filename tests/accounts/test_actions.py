"""What two people do at the same moment, and what stays afterwards."""

import asyncio

import pytest
from tests.support.clock import FakeClock
from tests.support.people import People

from folkmoot.accounts import actions, queries
from folkmoot.accounts.actions import Entry, NewAccount
from folkmoot.accounts.relations import queries as relations
from folkmoot.gate import Action, Gate, Refused, Role, Standing
from folkmoot.gate.queries import sanction_of
from folkmoot.storage.database import Database


@pytest.fixture
def people(database: Database) -> People:
    return People(Gate(database))


async def test_one_name_goes_to_one_of_many(people: People) -> None:
    names = ["carol", "Carol", "CAROL", "cArol"]
    made = await asyncio.gather(*(people.create(name) for name in names), return_exceptions=True)
    refused = [outcome for outcome in made if isinstance(outcome, Refused)]
    assert len(refused) == 3
    assert {refusal.code for refusal in refused} == {"username_taken"}


async def test_one_link_makes_one_owner(people: People) -> None:
    secret = await people.system(actions.make_owner_link)

    async def sign_up(number: int) -> int:
        new = NewAccount(f"owner{number}", "none", owner_secret=secret)
        return await people.system(lambda acting: actions.sign_up(acting, new, Entry("closed")))

    made = await asyncio.gather(*(sign_up(number) for number in range(4)), return_exceptions=True)
    (owner,) = [outcome for outcome in made if isinstance(outcome, int)]
    assert {outcome.code for outcome in made if isinstance(outcome, Refused)} == {"link_spent"}
    async with people.gate.database.read() as read:
        assert await queries.owner_id(read) == owner
        assert (await queries.counts(read)).accounts == 1


async def test_a_spent_link_is_not_spent_by_a_name_that_is_taken(people: People) -> None:
    secret = await people.system(actions.make_owner_link)
    await people.create("carol")
    with pytest.raises(Refused, match="taken"):
        await people.system(
            lambda acting: actions.sign_up(acting, NewAccount("carol", "none", owner_secret=secret), Entry("open"))
        )
    owner = await people.system(
        lambda acting: actions.sign_up(acting, NewAccount("olga", "none", owner_secret=secret), Entry("open"))
    )
    assert (await people.viewer(owner)).role is Role.OWNER


async def test_who_waits_keeps_what_they_wrote_for_the_owner(people: People) -> None:
    new = NewAccount("dave", "none", reason="I know Alice.")
    account_id = await people.system(lambda acting: actions.sign_up(acting, new, Entry("approval")))
    assert (await people.viewer(account_id)).standing is Standing.AWAITING_APPROVAL
    async with people.gate.database.read() as read:
        held = await sanction_of(read, account_id)
    assert held is not None
    assert (held.standing, held.reason) == (Standing.AWAITING_APPROVAL, "I know Alice.")


async def test_a_session_is_over_with_its_token(people: People, clock: FakeClock) -> None:
    account_id = await people.create("carol")
    permit = people.gate.permit(await people.viewer(account_id), Action.SIGN_IN)
    first, second = [await people.gate.act(permit, actions.sign_in) for _ in range(2)]
    viewer = await people.gate.identify(first)
    assert viewer.token_id is not None
    token_id = viewer.token_id
    await people.system(lambda acting: actions.sign_out(acting, token_id))
    with pytest.raises(Refused):
        await people.gate.identify(first)
    assert (await people.gate.identify(second)).account_id == account_id
    clock.advance_ms(actions.SESSION_LASTS_MS)
    with pytest.raises(Refused):
        await people.gate.identify(second)


async def test_following_and_blocking_at_once_leaves_no_follow(people: People) -> None:
    alice, bob = await people.create("alice"), await people.create("bob")
    await asyncio.gather(people.follow(alice, bob), people.block(bob, alice), return_exceptions=True)
    async with people.gate.database.read() as read:
        (relation,) = await relations.relationships(read, bob, [alice])
    assert relation.blocking
    assert not relation.followed_by
