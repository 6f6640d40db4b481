"""The rules one by one, as people meet them: a Space from its beginning to its end."""

import pytest
from tests.spaces.rooms import (
    ANNA,
    BERT,
    CARL,
    DORA,
    EVERYBODY,
    HOST,
    NOW_MS,
    co_host,
    live,
    scheduled,
)

from folkmoot.spaces import commands as c
from folkmoot.spaces.changes.seats import SeatTaken, SeatVacated
from folkmoot.spaces.model import (
    HOLD_MS,
    AccountFacts,
    Audience,
    Draft,
    EndReason,
    Facts,
    Role,
    SpaceState,
)
from folkmoot.spaces.refusals import SENTENCES, Code, Refused
from folkmoot.spaces.rules import create, permissions


def test_every_code_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Code)
    assert all(sentence.endswith(".") for sentence in SENTENCES.values())


def test_recording_is_the_default_in_public_only() -> None:
    assert scheduled(Draft(title="Open")).space.recorded
    assert not scheduled(Draft(title="Closed", audience=Audience.FOLLOWED)).space.recorded
    assert scheduled(Draft(title="Closed", audience=Audience.FOLLOWED, recorded=True)).space.recorded


@pytest.mark.parametrize(
    ("at_ms", "code"),
    [(NOW_MS, Code.SCHEDULE_PAST), (NOW_MS + 366 * 86_400_000, Code.SCHEDULE_TOO_FAR)],
)
def test_a_schedule_lies_ahead_but_not_beyond_sight(at_ms: int, code: Code) -> None:
    refused = create(5, HOST, Draft(title="When?", scheduled_at_ms=at_ms), NOW_MS)
    assert isinstance(refused, Refused)
    assert refused.code is code


def test_starting_seats_the_host_who_thereby_agrees() -> None:
    room = scheduled()
    room.do(HOST, c.Start())
    host = room.space.member(HOST)
    assert (room.space.state, host.seat, host.consented_at_ms) == (SpaceState.LIVE, 1, NOW_MS)
    assert room.space.hold_until_ms == NOW_MS + HOLD_MS, "a host who never connects must not leave a Space behind"
    room.connect(HOST)
    assert room.space.hold_until_ms is None


@pytest.mark.parametrize(("command", "reason"), [(c.End(), EndReason.HOST_ENDED), (c.Panic(), EndReason.PANIC)])
def test_ending_clears_the_stage_and_is_final(command: c.Command, reason: EndReason) -> None:
    room = live()
    room.speak(ANNA)
    room.do(BERT, c.Ask())
    changes = room.do(HOST, command)
    assert [change.seat for change in changes if isinstance(change, SeatVacated)] == [1, 2]
    assert room.space.ended_reason is reason
    assert list(room.space.members) == [HOST]
    for again in (c.Start(), c.End(), c.Edit(title="No"), c.LetBack(account="3")):
        assert room.refused(HOST, again) is Code.ENDED
    for observation in (c.Tick(), c.StandingLost(HOST), c.MemberBlocked(ANNA)):
        assert room.see(observation) == ()


def test_stopped_from_outside() -> None:
    room = live()
    room.see(c.Stop())
    assert room.space.ended_reason is EndReason.STOPPED


def test_cancelled() -> None:
    room = scheduled()
    room.do(HOST, c.Invite(account=str(ANNA)))
    room.do(HOST, c.Cancel())
    assert room.space.state is SpaceState.CANCELLED
    assert room.refused(HOST, c.Start()) is Code.CANCELLED
    assert room.refused(ANNA, c.Accept()) is Code.CANCELLED


def test_handing_over() -> None:
    room = live()
    room.speak(ANNA)
    assert room.refused(HOST, c.HandOver(account=str(BERT))) is Code.NOT_ON_STAGE
    room.do(HOST, c.HandOver(account=str(ANNA)))
    assert (room.space.host_id, room.space.member(HOST).role) == (ANNA, Role.CO_HOST)
    assert room.space.creator_id == HOST
    assert room.refused(HOST, c.HandOver(account=str(HOST))) is Code.NOT_HOST


def test_handing_over_past_two_co_hosts_makes_a_speaker() -> None:
    room = live()
    co_host(room, ANNA)
    co_host(room, BERT)
    room.speak(CARL)
    room.do(HOST, c.HandOver(account=str(CARL)))
    assert room.space.member(HOST).role is Role.SPEAKER


def test_a_late_answer_finds_the_co_hosts_complete() -> None:
    room = live()
    room.do(HOST, c.Invite(account=str(DORA), role="co_host"))
    co_host(room, ANNA)
    co_host(room, BERT)
    assert room.refused(DORA, c.Accept(recording_consent=True)) is Code.CO_HOSTS_FULL


def test_a_block_after_the_end_changes_nothing() -> None:
    room = live()
    room.do(HOST, c.Invite(account=str(ANNA)))
    room.do(HOST, c.End())
    assert room.space.member(ANNA).guest
    assert room.see(c.MemberBlocked(ANNA)) == ()


def test_who_led_without_a_seat_listens_afterwards() -> None:
    room = live()
    co_host(room, ANNA)
    co_host(room, BERT)
    room.speak(CARL)
    room.do(BERT, c.StepDown())
    room.do(HOST, c.StepDown())
    room.do(HOST, c.HandOver(account=str(CARL)))
    assert HOST not in room.space.members
    room.do(CARL, c.UnmakeCoHost(account=str(BERT)))
    assert BERT not in room.space.members


def test_editing_and_pinning() -> None:
    room = live()
    room.do(HOST, c.Edit(title="  A new title "))
    room.do(HOST, c.Edit(topics=("News", "news")))
    assert (room.space.title, room.space.topics) == ("A new title", ("News",))
    assert room.refused(HOST, c.Edit()) is Code.NOTHING_TO_CHANGE
    assert room.refused(HOST, c.Edit(title="x" * 10_000)) is Code.TITLE_TOO_LONG
    assert room.refused(ANNA, c.Edit(title="Mine")) is Code.NOT_HOST_OR_CO_HOST
    assert room.refused(HOST, c.Unpin()) is Code.NOT_PINNED
    room.do(HOST, c.Pin(post="77"))
    assert room.space.pinned_post_id == 77
    room.do(HOST, c.Unpin())


def test_permissions_of_host_asker_and_stranger() -> None:
    room = live()
    assert permissions(room.space, ANNA, EVERYBODY, NOW_MS) == {"ask"}
    assert permissions(room.space, 9_999, EVERYBODY, NOW_MS) == frozenset()
    assert "let_up" not in permissions(room.space, HOST, EVERYBODY, NOW_MS)
    room.do(ANNA, c.Ask())
    assert permissions(room.space, ANNA, EVERYBODY, NOW_MS) == {"unask", "consent"}
    only_host = Facts(accounts={HOST: AccountFacts()})
    assert permissions(room.space, HOST, only_host, NOW_MS) >= {"let_up", "invite", "remove", "end", "panic"}


def test_the_next_deadline_is_the_earliest() -> None:
    assert live().space.next_deadline_ms is None
    room = live()
    room.do(ANNA, c.Ask(recording_consent=True))
    (taken, _) = room.do(HOST, c.LetUp(account=str(ANNA)))
    assert isinstance(taken, SeatTaken)
    assert room.space.next_deadline_ms == taken.connect_by_ms
    assert scheduled().space.next_deadline_ms is None
