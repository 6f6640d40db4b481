"""Decisions about Spaces and clips, and what becomes of the rooms of a suspended host: all of it, or nothing."""

from functools import partial

import pytest
from sqlalchemy import insert
from tests.support.clock import FakeClock
from tests.support.people import People

from folkmoot.gate import Acting, Action, Kind, Refused, Role, Standing, Subject, subjects
from folkmoot.gate.queries import counters, sanction_of
from folkmoot.moderation.appeals import queries as appeals
from folkmoot.moderation.appeals.actions import appeal, decide_appeal
from folkmoot.moderation.clips.actions import lift_clip, remove_clip
from folkmoot.moderation.spaces.actions import lift_space, mute_space, remove_space, suspend_host
from folkmoot.moderation.spaces.model import Becomes, Fate
from folkmoot.spaces import actions as spaces
from folkmoot.spaces import commands as c
from folkmoot.spaces import queries
from folkmoot.spaces.model import Draft, EndReason, NoticeKind, Space, SpaceState
from folkmoot.storage.tables.spaces import clips

PAGE = "https://moot.example/spaces"


async def live(people: People, host: int) -> Space:
    made = await people.act(
        host, Action.OPEN_SPACE, lambda acting: spaces.create(acting, Draft(title="Tonight"), page_url=PAGE)
    )
    return await do(people, host, made.id, c.Start())


async def do(people: People, by: int, space_id: int, order: c.Command) -> Space:
    return await people.act(by, Action.TAKE_PART, lambda acting: spaces.command(acting, space_id, order))


async def speaks(people: People, host: int, space_id: int, account_id: int) -> None:
    await do(people, host, space_id, c.Invite(account=str(account_id)))
    await do(people, account_id, space_id, c.Accept(recording_consent=True))


async def co_hosts(people: People, host: int, space_id: int, account_id: int) -> None:
    await speaks(people, host, space_id, account_id)
    await do(people, host, space_id, c.MakeCoHost(account=str(account_id)))


async def now(people: People, space_id: int) -> Space:
    async with people.gate.database.read() as read:
        space = await queries.by_id(read, space_id)
    assert space is not None
    return space


async def suspend(people: People, account_id: int, fates: dict[int, Fate] | None = None) -> None:
    async def work(acting: Acting) -> None:
        await suspend_host(acting, account_id, reason="rule 3", fates=fates)

    await people.system(work)


async def standing(people: People, subject: Subject) -> Standing:
    async with people.gate.database.read() as read:
        return (await subjects.held(read, [subject]))[subject].standing


async def test_left_out_it_goes_on_with_its_co_host_or_ends_without_one(people: People) -> None:
    host, anna = await people.create("host"), await people.create("anna")
    with_one = await live(people, host)
    await co_hosts(people, host, with_one.id, anna)
    await suspend(people, host)
    after = await now(people, with_one.id)
    assert (after.state, after.host_id) == (SpaceState.LIVE, anna)
    assert after.notice is not None
    assert after.notice.kind is NoticeKind.HOST_SUSPENDED
    await do(people, anna, with_one.id, c.End())
    alone = await live(people, anna)
    await suspend(people, anna)
    after = await now(people, alone.id)
    assert (after.state, after.ended_reason) == (SpaceState.ENDED, EndReason.HOST_SUSPENDED)


async def test_nobody_who_is_suspended_too_carries_on(people: People) -> None:
    """By one command for both: the co-host's own event is handled only after its transaction."""
    host, anna = await people.create("host"), await people.create("anna")
    space = await live(people, host)
    await co_hosts(people, host, space.id, anna)

    async def both(acting: Acting) -> None:
        for account_id in (anna, host):
            await suspend_host(acting, account_id, reason="rule 3")

    await people.system(both)
    after = await now(people, space.id)
    assert (after.state, after.ended_reason, after.host_id) == (SpaceState.ENDED, EndReason.HOST_SUSPENDED, host)


async def test_it_becomes_what_the_moderator_chose(people: People) -> None:
    host, anna, bert = [await people.create(name) for name in ("host", "anna", "bert")]
    space = await live(people, host)
    await co_hosts(people, host, space.id, anna)
    await speaks(people, host, space.id, bert)
    await suspend(people, host, {space.id: Fate(Becomes.HANDED_OVER, bert)})
    assert (await now(people, space.id)).host_id == bert
    await suspend(people, bert, {space.id: Fate(Becomes.ENDS)})
    assert (await now(people, space.id)).state is SpaceState.ENDED


@pytest.mark.parametrize(
    ("fate", "code"),
    [
        (lambda _: Fate(Becomes.GOES_ON), "no_co_host"),
        (lambda _: Fate(Becomes.HANDED_OVER), "successor_missing"),
        (lambda someone: Fate(Becomes.HANDED_OVER, someone["listener"]), "not_on_stage"),
        (lambda someone: Fate(Becomes.HANDED_OVER, someone["host"]), "no_such_successor"),
        (lambda _: Fate(Becomes.HANDED_OVER, 7), "no_such_successor"),
    ],
)
async def test_where_that_cannot_be_nothing_is_done(people: People, fate: object, code: str) -> None:
    someone = {name: await people.create(name) for name in ("host", "listener")}
    space = await live(people, someone["host"])
    assert callable(fate)
    with pytest.raises(Refused) as refused:
        await suspend(people, someone["host"], {space.id: fate(someone)})
    assert (refused.value.code, refused.value.status) == (code, 422)
    async with people.gate.database.read() as read:
        sanction = await sanction_of(read, someone["host"])
    assert sanction is not None
    assert sanction.standing is Standing.ACTIVE
    assert (await now(people, space.id)).state is SpaceState.LIVE


async def test_a_room_that_ended_or_was_handed_over_meanwhile_delays_no_suspension(people: People) -> None:
    """Two moderators decide at once, or the host is quicker."""
    host, anna = await people.create("host"), await people.create("anna")
    ended = await live(people, host)
    await do(people, host, ended.id, c.End())
    handed_over = await live(people, host)
    await co_hosts(people, host, handed_over.id, anna)
    await do(people, host, handed_over.id, c.HandOver(account=str(anna)))
    await suspend(people, host, {ended.id: Fate(Becomes.ENDS), handed_over.id: Fate(Becomes.ENDS)})
    async with people.gate.database.read() as read:
        sanction = await sanction_of(read, host)
    assert sanction is not None
    assert sanction.standing is Standing.SUSPENDED
    after = await now(people, handed_over.id)
    assert (after.state, after.host_id) == (SpaceState.LIVE, anna)


async def test_nobody_says_what_becomes_of_anothers_space(people: People) -> None:
    host, anna = await people.create("host"), await people.create("anna")
    space = await live(people, host)
    with pytest.raises(Refused, match="hosts no live Space"):
        await suspend(people, anna, {space.id: Fate(Becomes.ENDS)})


async def test_a_removed_space_ends_and_shuts_and_comes_back(people: People) -> None:
    host = await people.create("host")
    space = await live(people, host)
    subject = Subject(Kind.SPACE, space.id)
    await people.system(lambda acting: remove_space(acting, space.id, reason="rule 4"))
    async with people.gate.database.read() as read:
        assert (await counters(read, [subject.text]))[subject.text] > 0
    assert (await now(people, space.id)).ended_reason is EndReason.REMOVED
    await people.system(lambda acting: remove_space(acting, space.id, reason="rule 4"))  # the button pressed twice
    await people.system(lambda acting: lift_space(acting, space.id))
    assert await standing(people, subject) is Standing.ACTIVE
    with pytest.raises(Refused, match="Nothing of the kind"):
        await people.system(lambda acting: lift_space(acting, space.id))


async def test_a_muted_space_goes_on_and_ends_being_muted_by_itself(people: People, clock: FakeClock) -> None:
    host = await people.create("host")
    space = await live(people, host)
    subject = Subject(Kind.SPACE, space.id)
    until_ms = clock() + 60_000
    await people.system(lambda acting: mute_space(acting, space.id, reason="a raid", until_ms=until_ms))
    assert await standing(people, subject) is Standing.MUTED
    assert (await now(people, space.id)).roster_version > space.roster_version
    async with people.gate.database.read() as read:
        assert (await counters(read, [subject.text]))[subject.text] == 0, "who listens goes on listening"
    clock.advance_ms(60_000)
    assert await standing(people, subject) is Standing.ACTIVE


async def test_who_decides_about_whose_space(people: People) -> None:
    keeper, other = [await people.create(name, Role.MODERATOR) for name in ("keeper", "other")]
    mine, theirs = await live(people, keeper), await live(people, other)

    async def remove(space_id: int) -> str:
        try:
            await people.act(
                keeper, Action.MODERATE, lambda acting: remove_space(acting, space_id, reason="rule 4")
            )
        except Refused as refusal:
            return refusal.code
        return "removed"

    assert await remove(mine.id) == "own_account"
    assert await remove(theirs.id) == "not_above"
    assert await remove(7) == "not_found"


async def a_clip(people: People, space_id: int, account_id: int) -> int:
    async def work(acting: Acting) -> int:
        clip_id = acting.tx.new_id()
        await acting.tx.connection.execute(
            insert(clips).values(
                id=clip_id, space_id=space_id, account_id=account_id, start_ms=0, end_ms=1, created_at_ms=0
            )
        )
        return clip_id

    return await people.system(work)


async def test_its_people_appeal_and_somebody_else_lifts_it(people: People) -> None:
    host, anna = await people.create("host"), await people.create("anna")
    keeper, other = [await people.create(name, Role.MODERATOR) for name in ("keeper", "other")]
    space = await live(people, host)
    clip_id = await a_clip(people, space.id, anna)
    await people.act(keeper, Action.MODERATE, lambda acting: remove_space(acting, space.id, reason="rule 4"))
    await people.act(keeper, Action.MODERATE, lambda acting: remove_clip(acting, clip_id, reason="rule 5"))
    for whose, subject in ((host, Subject(Kind.SPACE, space.id)), (anna, Subject(Kind.CLIP, clip_id))):
        async with people.gate.database.read() as read:
            (sanction,) = (await subjects.open_of(read, [subject]))[subject]
        stranger = anna if whose == host else host
        with pytest.raises(Refused, match="no such decision about you"):
            await people.act(stranger, Action.APPEAL, partial(appeal, sanction_id=sanction.id, text="No."))
        made = await people.act(whose, Action.APPEAL, partial(appeal, sanction_id=sanction.id, text="No."))
        async with people.gate.database.read() as read:
            assert [case.subject for case in await appeals.waiting(read)] == [subject]

        async def decide(acting: Acting, appeal_id: int = made.id) -> None:
            await decide_appeal(acting, appeal_id, granted=True, answer="You are right.")

        with pytest.raises(Refused, match="somebody else"):
            await people.act(keeper, Action.MODERATE, decide)
        await people.act(other, Action.MODERATE, decide)
        assert await standing(people, subject) is Standing.ACTIVE


async def test_a_clip_that_was_not_removed_is_not_lifted(people: People) -> None:
    host = await people.create("host")
    clip_id = await a_clip(people, (await live(people, host)).id, host)
    with pytest.raises(Refused, match="not removed"):
        await people.system(lambda acting: lift_clip(acting, clip_id))
    with pytest.raises(Refused, match="Say why"):
        await people.system(lambda acting: remove_clip(acting, clip_id, reason=" "))
