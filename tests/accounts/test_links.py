"""Links that work once, and what they outlive."""

from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from tests.support.people import People

from folkmoot.accounts import actions, deletion, links
from folkmoot.accounts.links import Link, Purpose
from folkmoot.gate import Action, Gate, Role, Standing
from folkmoot.mail.outbox import Outbox
from folkmoot.moderation.members.actions import change_role
from folkmoot.storage.database import Database

Happening = Callable[[People, int], Awaitable[object]]
OF_AN_ACCOUNT = sorted(set(Purpose) - {Purpose.OWNER, Purpose.PASSKEY})


@pytest.fixture
def people(database: Database) -> People:
    return People(Gate(database))


async def new_password(people: People, account_id: int) -> None:
    await people.system(lambda acting: actions.change_password(acting, account_id, "another hash"))


async def lock_and_lift(people: People, account_id: int) -> None:
    for standing in (Standing.LOCKED, Standing.ACTIVE):
        await people.put(account_id, standing)


async def suspend_and_lift(people: People, account_id: int) -> None:
    for standing in (Standing.SUSPENDED, Standing.ACTIVE):
        await people.put(account_id, standing)


async def leave_and_stay(people: People, account_id: int) -> None:
    outbox = Outbox(is_open=False)
    await people.act(account_id, Action.LEAVE, lambda acting: deletion.ask(acting, account_id, outbox))
    await people.act(account_id, Action.LEAVE, deletion.take_back)


async def lose_a_role(people: People, account_id: int) -> None:
    for role in (Role.MODERATOR, Role.MEMBER):
        await people.system(partial(change_role, account_id=account_id, role=role))


@pytest.mark.parametrize(
    "happens",
    [new_password, lock_and_lift, suspend_and_lift, leave_and_stay, lose_a_role],
    ids=lambda one: one.__name__,
)
async def test_what_signs_everybody_out_ends_every_link(
    people: People, database: Database, happens: Happening
) -> None:
    """Also after it is lifted; what is made then is good."""
    carol = await people.create("carol")

    async def made(purpose: Purpose) -> str:
        return await people.system(lambda acting: links.make(acting, purpose, carol, email="carol@mail.example"))

    async def opens(purpose: Purpose, secret: str) -> tuple[Link | None, Link | None]:
        async with database.read() as read:
            looked = await links.look(read, purpose, secret)
        return looked, await people.system(lambda acting: links.use(acting, purpose, secret))

    before = {purpose: await made(purpose) for purpose in OF_AN_ACCOUNT}
    await happens(people, carol)
    good = Link(carol, "carol@mail.example")
    for purpose, secret in before.items():
        assert await opens(purpose, secret) == (None, None), purpose
        assert await opens(purpose, await made(purpose)) == (good, good), purpose


async def test_what_concerns_somebody_else_leaves_a_link(people: People) -> None:
    carol, dave = await people.create("carol"), await people.create("dave")
    secret = await people.system(lambda acting: links.make(acting, Purpose.RESET, carol))
    owner = await people.system(lambda acting: links.make(acting, Purpose.OWNER))
    await new_password(people, dave)
    await people.put(carol, Standing.LIMITED)  # which takes nothing away
    assert await people.system(lambda acting: links.use(acting, Purpose.RESET, secret)) == Link(carol)
    assert await people.system(lambda acting: links.use(acting, Purpose.OWNER, owner)) == Link(None)
