"""The rules one by one: who is muted or removed, and who falls off the network."""

from tests.spaces.rooms import ANNA, BERT, CARL, EVERYBODY, HOST, NOW_MS, co_host, facts, live

from folkmoot.spaces import commands as c
from folkmoot.spaces.changes import revoked_subjects
from folkmoot.spaces.changes.life import Ended, HoldEnded, HoldStarted
from folkmoot.spaces.model import (
    HOLD_MS,
    RECONNECT_GRACE_MS,
    AccountFacts,
    EndReason,
    MutedBy,
    SpaceState,
)
from folkmoot.spaces.refusals import Code, Refused
from folkmoot.spaces.rules import observe, permissions, resolve_audience


def test_removed_is_out_by_every_way_until_let_back() -> None:
    room = live()
    room.speak(ANNA)
    changes = room.do(HOST, c.Remove(account=str(ANNA)))
    revoked = [subject for change in changes for subject in revoked_subjects(room.space, change)]
    assert revoked == ["seat:5:2", "member:5:2"]
    assert not resolve_audience(room.space, ANNA, AccountFacts(followed_by_host=True))
    assert permissions(room.space, ANNA, EVERYBODY, NOW_MS) == frozenset()
    for command in (c.Ask(), c.Accept(), c.Unmute(), c.Consent(recording_consent=True)):
        assert room.refused(ANNA, command) is Code.REMOVED
    for way in (c.Invite, c.MakeCoHost, c.HandOver):
        assert room.refused(HOST, way(account=str(ANNA))) is Code.REMOVED
    assert room.refused(HOST, c.LetUp(account=str(ANNA))) is Code.NOT_ASKING
    room.do(HOST, c.LetBack(account=str(ANNA)))
    assert room.speak(ANNA) == 3


def test_who_only_listens_can_be_removed_too() -> None:
    room = live()
    room.do(HOST, c.Remove(account=str(ANNA)))
    assert room.refused(ANNA, c.Ask()) is Code.REMOVED


def test_who_lost_standing_can_still_be_removed() -> None:
    room = live()
    room.do(HOST, c.Invite(account=str(ANNA)))
    room.facts = facts(pool=range(1, 2))
    room.do(HOST, c.Remove(account=str(ANNA)))
    assert room.refused(HOST, c.Remove(account=str(BERT))) is Code.NO_SUCH_ACCOUNT


def test_co_hosts_keep_order_below_their_rank() -> None:
    room = live()
    co_host(room, ANNA)
    co_host(room, BERT)
    room.speak(CARL)
    room.do(ANNA, c.Mute(account=str(CARL)))
    for above in (HOST, BERT):
        assert room.refused(ANNA, c.Mute(account=str(above))) is Code.OUTRANKED
        assert room.refused(ANNA, c.Remove(account=str(above))) is Code.OUTRANKED
    assert room.refused(HOST, c.Remove(account=str(HOST))) is Code.OUTRANKED
    assert room.refused(CARL, c.Mute(account=str(ANNA))) is Code.NOT_HOST_OR_CO_HOST


def test_a_host_mutes_and_the_person_unmutes() -> None:
    room = live()
    room.speak(ANNA)
    room.do(HOST, c.Mute(account=str(ANNA)))
    assert room.space.member(ANNA).muted_by is MutedBy.HOST
    room.do(ANNA, c.Unmute())
    room.do(ANNA, c.Mute(account=str(ANNA)))
    assert room.space.member(ANNA).muted_by is MutedBy.SELF


def test_mute_all_silences_the_speakers_alone() -> None:
    room = live()
    co_host(room, ANNA)
    for account in (3, 4, 5):
        room.speak(account)
    room.do(ANNA, c.MuteAll())
    assert [member.account_id for member in room.space.stage if member.muted_by] == [3, 4, 5]
    assert room.refused(ANNA, c.MuteAll()) is Code.NOBODY_TO_MUTE


def test_a_mute_outlives_a_lost_connection() -> None:
    room = live()
    seat = room.speak(ANNA)
    room.do(HOST, c.Mute(account=str(ANNA)))
    room.see(c.SeatLost(seat))
    room.connect(ANNA)
    assert room.space.member(ANNA).muted_by is MutedBy.HOST


def test_a_lost_connection_keeps_its_seat_for_a_while() -> None:
    room = live()
    seat = room.speak(ANNA)
    room.see(c.SeatLost(seat))
    room.pass_ms(RECONNECT_GRACE_MS - 1)
    assert room.space.next_deadline_ms == room.now_ms + 1
    assert room.see(c.SeatLost(seat)) == (), "a second report gives no second grace"
    room.connect(ANNA)
    room.see(c.SeatLost(seat))
    room.pass_ms(RECONNECT_GRACE_MS)
    assert room.seat(ANNA) is None


def test_host_falls_off_co_host_carries_on() -> None:
    room = live()
    co_host(room, ANNA)
    room.see(c.SeatLost(1))
    assert room.space.hold_until_ms is None
    room.pass_ms(HOLD_MS * 2)
    assert room.space.state is SpaceState.LIVE
    room.do(ANNA, c.End())
    assert room.space.ended_reason is EndReason.HOST_ENDED


def test_host_falls_off_alone_the_stage_holds_then_ends() -> None:
    room = live()
    room.speak(ANNA)
    (_, held, _) = room.see(c.SeatLost(1))
    assert held == HoldStarted(until_ms=NOW_MS + HOLD_MS)
    room.pass_ms(HOLD_MS - 1)
    assert room.space.state is SpaceState.LIVE
    changes = room.pass_ms(1)
    assert Ended(at_ms=NOW_MS + HOLD_MS, reason=EndReason.HOST_ABSENT) in changes
    assert room.space.stage == []


def test_the_host_comes_back_and_the_hold_ends() -> None:
    room = live()
    room.see(c.SeatLost(1))
    room.pass_ms(RECONNECT_GRACE_MS)
    assert room.seat(HOST) is None
    room.do(HOST, c.Accept(recording_consent=True))
    assert room.space.hold_until_ms is not None, "a seat alone is not a voice"
    assert HoldEnded() in room.see(c.SeatConnected(2))


def test_an_absent_host_can_give_the_room_to_who_is_there() -> None:
    room = live()
    room.speak(ANNA)
    room.see(c.SeatLost(1))
    assert HoldEnded() in room.do(HOST, c.MakeCoHost(account=str(ANNA)))


def test_a_connection_for_a_seat_that_is_gone_is_refused() -> None:
    room = live()
    seat = room.speak(ANNA)
    room.do(HOST, c.Remove(account=str(ANNA)))
    refused = observe(room.space, c.SeatConnected(seat), NOW_MS)
    assert isinstance(refused, Refused)
    assert refused.code is Code.NO_SUCH_SEAT
