"""Reports: by who sees it, once, not without end; closed, reopened, and hidden from whom they are about."""

import pytest
from tests.support.clock import FakeClock
from tests.support.people import People

from folkmoot.accounts import queries as accounts
from folkmoot.accounts.model import Account, Page
from folkmoot.gate import Action, Refused, Role, Standing, Visible
from folkmoot.moderation.reports import actions, queries
from folkmoot.moderation.reports.model import (
    COMMENT_CHARACTERS_MAX,
    PER_HOUR_MAX,
    About,
    Category,
    Report,
    Resolution,
)

PAGE = Page(limit=40)


async def seen(people: People, account_id: int, by: int) -> Visible[Account]:
    viewer = await people.viewer(by)
    async with people.gate.database.read() as read:
        (found,) = await accounts.by_ids(read, [account_id])
        return await people.gate.admit_one(read, viewer, found, "Account")


async def report(people: People, by: int, about: int, comment: str = "", what: About | None = None) -> Report:
    target = await seen(people, about, by)
    return await people.act(
        by,
        Action.REPORT,
        lambda acting: actions.report(acting, target, what or About(), Category.OTHER, comment),
    )


async def queue(people: People, judge_id: int | None, *, resolved: bool = False) -> list[Report]:
    async with people.gate.database.read() as read:
        wanted = queries.Wanted(resolved=resolved)
        ids = await queries.ids(read, wanted, PAGE, judge_id=judge_id)
        return await queries.by_ids(read, ids, judge_id=judge_id)


@pytest.fixture
async def ana(people: People) -> int:
    return await people.create("ana")


@pytest.fixture
async def troll(people: People) -> int:
    return await people.create("troll")


@pytest.fixture
async def keeper(people: People) -> int:
    return await people.create("keeper", Role.MODERATOR)


async def test_a_report_waits_in_the_queue_as_it_was_made(
    people: People, ana: int, troll: int, keeper: int, clock: FakeClock
) -> None:
    what = About(post_ids=(3, 5), at_ms=None)
    made = await report(people, ana, troll, " he wrote\nmy address ", what)
    (waiting,) = await queue(people, keeper)
    assert waiting == made
    assert (made.comment, made.about, made.reporter_id) == ("he wrote\nmy address", what, ana)
    assert (made.created_at_ms, made.resolved_at_ms, made.assigned_to) == (clock(), None, None)


async def test_oneself_nobody_reports(people: People, ana: int) -> None:
    with pytest.raises(Refused, match="oneself"):
        await report(people, ana, ana)


async def test_the_same_twice_is_refused_until_it_is_decided(people: People, ana: int, troll: int) -> None:
    made = await report(people, ana, troll)
    with pytest.raises(Refused) as refusal:
        await report(people, ana, troll, "again")
    assert (refusal.value.code, refusal.value.status) == ("already_reported", 422)
    await report(people, ana, troll, what=About(post_ids=(1,)))  # something else of the same account
    await people.system(lambda acting: actions.resolve(acting, made.id, Resolution.NOTHING))
    await report(people, ana, troll, "he goes on")


async def test_there_is_an_end_to_how_many_in_an_hour(
    people: People, ana: int, troll: int, clock: FakeClock
) -> None:
    for number in range(PER_HOUR_MAX):
        await report(people, ana, troll, what=About(post_ids=(number,)))
    with pytest.raises(Refused) as refusal:
        await report(people, ana, troll)
    assert refusal.value.status == 429
    clock.advance_ms(3_600_000)
    await report(people, ana, troll)


@pytest.mark.parametrize("comment", ["x" * (COMMENT_CHARACTERS_MAX + 1), "a\x1b[2Jb"])
async def test_a_comment_that_nobody_could_read(people: People, ana: int, troll: int, comment: str) -> None:
    with pytest.raises(Refused) as refusal:
        await report(people, ana, troll, comment)
    assert refusal.value.status == 422


@pytest.mark.parametrize("standing", [Standing.SUSPENDED, Standing.AWAITING_APPROVAL, Standing.LOCKED])
async def test_who_is_kept_out_reports_nothing(people: People, ana: int, standing: Standing) -> None:
    await people.put(ana, standing)
    with pytest.raises(Refused):
        people.gate.permit(await people.viewer(ana), Action.REPORT)


async def test_looked_at_closed_and_reopened(
    people: People, ana: int, troll: int, keeper: int, clock: FakeClock
) -> None:
    made = await report(people, ana, troll)
    moderate = Action.MODERATE
    await people.act(keeper, moderate, lambda acting: actions.assign(acting, made.id, to_oneself=True))
    assert (await queue(people, keeper))[0].assigned_to == keeper
    await people.act(keeper, moderate, lambda acting: actions.assign(acting, made.id, to_oneself=False))
    assert (await queue(people, keeper))[0].assigned_to is None
    await people.act(keeper, moderate, lambda acting: actions.assign(acting, made.id, to_oneself=True))
    clock.advance_ms(5)
    await people.act(keeper, moderate, lambda acting: actions.resolve(acting, made.id, Resolution.NOTHING))
    assert await queue(people, keeper) == []
    (closed,) = await queue(people, keeper, resolved=True)
    assert (closed.resolution, closed.resolved_by, closed.resolved_at_ms) == (Resolution.NOTHING, keeper, clock())
    # A second decision changes nothing, and nobody takes up what is closed.
    await people.system(lambda acting: actions.resolve(acting, made.id, Resolution.SUSPENDED))
    assert await queue(people, keeper, resolved=True) == [closed]
    with pytest.raises(Refused, match="reopen"):
        await people.act(keeper, moderate, lambda acting: actions.assign(acting, made.id, to_oneself=True))
    await people.act(keeper, moderate, lambda acting: actions.reopen(acting, made.id))
    assert [(one.resolution, one.assigned_to) for one in await queue(people, keeper)] == [(None, keeper)]


async def test_a_sanction_answers_every_open_report_about_the_account(
    people: People, ana: int, troll: int, keeper: int
) -> None:
    for post in range(3):
        await report(people, ana, troll, what=About(post_ids=(post,)))
    other = await report(people, troll, ana)
    await people.act(
        keeper, Action.MODERATE, lambda acting: actions.resolve_about(acting, troll, Resolution.LIMITED)
    )
    assert [one.id for one in await queue(people, keeper)] == [other.id]
    assert {one.resolution for one in await queue(people, keeper, resolved=True)} == {Resolution.LIMITED}


async def test_nobody_judges_or_sees_a_report_about_themselves(people: People, ana: int, keeper: int) -> None:
    made = await report(people, ana, keeper)
    assert await queue(people, keeper) == []
    with pytest.raises(Refused) as refusal:
        await people.act(
            keeper, Action.MODERATE, lambda acting: actions.resolve(acting, made.id, Resolution.NOTHING)
        )
    assert refusal.value.status == 404
    assert [one.id for one in await queue(people, None)] == [made.id]
    async with people.gate.database.read() as read:
        shown = [await people.gate.admit(read, await people.viewer(one), [made]) for one in (ana, keeper)]
    assert [len(one) for one in shown] == [1, 0]


async def test_only_moderators_decide(people: People, ana: int, troll: int) -> None:
    made = await report(people, ana, troll)
    with pytest.raises(Refused):
        await people.act(ana, Action.REPORT, lambda acting: actions.reopen(acting, made.id))
    with pytest.raises(Refused):
        await people.act(
            ana, Action.REPORT, lambda acting: actions.resolve_about(acting, troll, Resolution.NOTHING)
        )


async def test_pages_go_both_ways(people: People, ana: int, troll: int) -> None:
    made = [(await report(people, ana, troll, what=About(post_ids=(n,)))).id for n in range(5)]
    async with people.gate.database.read() as read:

        async def page(**cursors: int) -> list[int]:
            return await queries.ids(read, queries.Wanted(), Page(limit=2, **cursors), judge_id=None)

        assert await page() == [made[4], made[3]]
        assert await page(max_id=made[3]) == [made[2], made[1]]
        assert await page(min_id=made[0]) == [made[2], made[1]]
        assert await page(since_id=made[0]) == [made[4], made[3]]
        wanted = queries.Wanted(target_id=ana)
        assert await queries.ids(read, wanted, PAGE, judge_id=None) == []
        assert await queries.counts_about(read, troll, judge_id=None) == (5, 5)
        assert await queries.counts_about(read, troll, judge_id=troll) == (0, 0)


async def test_a_closed_report_is_forgotten_in_time_and_an_open_one_never(
    people: People, ana: int, troll: int, keeper: int, clock: FakeClock
) -> None:
    closed, waiting = await report(people, ana, troll), await report(people, keeper, troll)
    await people.system(lambda acting: actions.resolve(acting, closed.id, Resolution.NOTHING))
    clock.advance_ms(180 * 86_400_000 - 1)
    await people.system(lambda acting: actions.forget_closed(acting, 180))
    assert [one.id for one in await queue(people, None, resolved=True)] == [closed.id]
    clock.advance_ms(1)
    await people.system(lambda acting: actions.forget_closed(acting, 180))
    assert await queue(people, None, resolved=True) == []
    assert [one.id for one in await queue(people, None)] == [waiting.id]
