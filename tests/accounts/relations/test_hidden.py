"""Whom somebody hides, and until when, on both databases: the one question of timelines and notifications."""

from sqlalchemy import select, update
from tests.support.clock import FakeClock
from tests.support.square import Square

from folkmoot.accounts.queries import hidden_from, hides
from folkmoot.accounts.relations import actions, queries
from folkmoot.accounts.relations.rules import mute_ends_at_ms
from folkmoot.gate import Action
from folkmoot.storage.database import Write
from folkmoot.storage.tables.people import accounts
from folkmoot.storage.tables.relations import mutes


async def test_muted_blocked_either_way_and_from_a_blocked_host(square: Square, clock: FakeClock) -> None:
    names = ("alice", "muted", "quiet", "blocked", "blocker", "remote", "friend")
    who = {name: await square.person(name) for name in names}
    alice = who["alice"]

    async def mute(name: str, *, notifications: bool, duration_s: int = 0) -> None:
        await square.act(
            alice,
            Action.BLOCK,
            lambda acting: actions.mute(acting, who[name], notifications=notifications, duration_s=duration_s),
        )

    async def is_elsewhere(tx: Write) -> None:
        there = accounts.c.id == who["remote"]
        await tx.connection.execute(update(accounts).where(there).values(host="elsewhere.test"))

    await mute("muted", notifications=True, duration_s=60)
    await mute("quiet", notifications=False)
    await square.block(alice, who["blocked"])
    await square.block(who["blocker"], alice)
    await square.database.write(is_elsewhere)
    await square.act(alice, Action.BLOCK, lambda acting: actions.block_domain(acting, "ELSEWHERE.test"))

    everybody = list(who.values())
    hidden = {who[name] for name in ("muted", "quiet", "blocked", "blocker", "remote")}
    async with square.database.read() as read:
        assert await hidden_from(read, alice, everybody) == hidden
        assert await hidden_from(read, alice, everybody, notifying=True) == hidden - {who["quiet"]}
        assert await hidden_from(read, who["friend"], everybody) == set()
        condition = hides(alice, accounts.c.id, read.now_ms)
        assert set((await read.connection.execute(select(accounts.c.id).where(condition))).scalars()) == hidden
        (stands,) = await queries.relationships(read, alice, [who["remote"]])
        assert stands.domain_blocking
    clock.advance_ms(60_000)
    async with square.database.read() as read:
        assert who["muted"] not in await hidden_from(read, alice, everybody)
        assert not (await queries.relationships(read, alice, [who["muted"]]))[0].muting
    await square.act(alice, Action.BLOCK, actions.forget_mutes)
    async with square.database.read() as read:
        assert set((await read.connection.execute(select(mutes.c.muted_id))).scalars()) == {who["quiet"]}


def test_a_mute_ends_when_it_is_said_to() -> None:
    assert mute_ends_at_ms(1_000, None) is None
    assert mute_ends_at_ms(1_000, 0) is None
    assert mute_ends_at_ms(1_000, 60) == 61_000
