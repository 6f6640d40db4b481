"""Muted or removed for a time: it ends by itself, by the clock alone, and nobody is left silent by mistake."""

import pytest
from tests.spaces.rooms import ANNA, BERT, HOST, co_host, live

from folkmoot.gate.model import Action, Kind, Standing
from folkmoot.gate.standings import TABLES
from folkmoot.spaces import commands as c
from folkmoot.spaces.changes.people import LetBackIn, SilenceEnded
from folkmoot.spaces.model import AccountFacts, EndReason, MutedBy, NoticeKind, SpaceState
from folkmoot.spaces.refusals import Code
from folkmoot.spaces.rules import resolve_audience

WELCOME = AccountFacts(followed_by_host=True)


def test_muted_for_a_time_nobody_speaks_from_whatever_seat() -> None:
    room = live()
    room.speak(ANNA)
    room.do(HOST, c.Mute(account=str(ANNA), seconds=60))
    assert room.refused(ANNA, c.Unmute()) is Code.MUTED_FOR_A_TIME
    room.do(ANNA, c.StepDown())
    room.speak(ANNA)
    assert room.space.member(ANNA).muted_by is MutedBy.HOST
    assert room.refused(ANNA, c.Unmute()) is Code.MUTED_FOR_A_TIME
    assert room.space.next_deadline_ms == room.now_ms + 60_000
    assert SilenceEnded(account_id=ANNA, by=None) in room.pass_ms(60_000)
    room.do(ANNA, c.Unmute())


def test_who_is_back_in_time_need_not_wait_for_the_clock_to_be_looked_at() -> None:
    room = live()
    room.speak(ANNA)
    room.do(HOST, c.Mute(account=str(ANNA), seconds=60))
    room.now_ms += 60_000
    changes = room.do(ANNA, c.Unmute())
    assert SilenceEnded(account_id=ANNA, by=None) in changes


def test_a_host_ends_it_earlier_and_nobody_their_own() -> None:
    room = live()
    co_host(room, ANNA)
    room.do(HOST, c.Mute(account=str(ANNA), seconds=60))
    assert room.refused(ANNA, c.LetSpeak(account=str(ANNA))) is Code.OUTRANKED
    room.do(HOST, c.LetSpeak(account=str(ANNA)))
    room.do(ANNA, c.Unmute())
    assert room.refused(HOST, c.Mute(account=str(HOST), seconds=5)) is Code.OUTRANKED
    assert room.refused(HOST, c.LetSpeak(account=str(ANNA))) is Code.NOT_MUTED


def test_removed_for_a_time_one_is_back_when_it_is_over_and_muted_still_if_that_is_not() -> None:
    room = live()
    room.speak(ANNA)
    room.do(HOST, c.Mute(account=str(ANNA), seconds=120))
    room.do(HOST, c.Remove(account=str(ANNA), seconds=60))
    assert not resolve_audience(room.space, ANNA, WELCOME)
    assert LetBackIn(account_id=ANNA, by=None) in room.pass_ms(60_000)
    assert resolve_audience(room.space, ANNA, WELCOME)
    room.speak(ANNA)
    assert room.refused(ANNA, c.Unmute()) is Code.MUTED_FOR_A_TIME


def test_a_removal_runs_out_after_the_space_is_over_too() -> None:
    room = live()
    room.do(HOST, c.Remove(account=str(ANNA), seconds=60))
    room.do(HOST, c.End())
    assert room.space.next_deadline_ms == room.now_ms + 60_000
    assert room.space.as_of(room.now_ms + 60_000).members.get(ANNA) is None
    room.pass_ms(60_000)
    assert ANNA not in room.space.members


@pytest.mark.parametrize("named", [ANNA, BERT])
def test_when_the_host_is_suspended_somebody_else_hosts_and_everybody_is_told(named: int) -> None:
    room = live()
    co_host(room, ANNA)
    room.speak(BERT)
    room.see(c.StandingLost(HOST, successor=named, suspended=True))
    assert room.space.host_id == named
    assert room.space.notice is not None
    assert (room.space.notice.kind, room.space.notice.host_id) == (NoticeKind.HOST_SUSPENDED, named)
    room.do(named, c.HandOver(account=str(ANNA + BERT - named)))
    assert room.space.notice is None, "somebody else hosts it by now"


def test_a_space_that_ends_because_of_its_host_is_shut_for_all_who_hear_it() -> None:
    room = live()
    room.see(c.Stop(EndReason.HOST_SUSPENDED))
    assert room.space.state is SpaceState.ENDED
    assert "space:5" in room.revoked()


def test_the_machine_does_what_the_table_says() -> None:
    room = live()
    table = TABLES[Kind.MEMBER]
    for command, standing in ((c.Mute, Standing.MUTED), (c.Remove, Standing.REMOVED)):
        room.do(HOST, command(account=str(ANNA), seconds=60))
        member = room.space.member(ANNA)
        assert member.standing is standing
        assert {action for action in Action if member.keeps(action)} == table[standing].actions
        asks = Action.TAKE_PART in table[standing].actions
        listens = Action.LISTEN in table[standing].actions
        assert resolve_audience(room.space, ANNA, WELCOME) == listens
        if not asks:
            assert room.refused(ANNA, c.Ask()) is Code.REMOVED
