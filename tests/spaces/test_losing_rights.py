"""The rules one by one: who is suspended, blocked or not asked in."""

import pytest
from tests.spaces.rooms import (
    ANNA,
    BERT,
    CARL,
    EVERYBODY,
    HOST,
    closed,
    co_host,
    facts,
    live,
    scheduled,
)

from folkmoot.spaces import commands as c
from folkmoot.spaces.changes import revoked_subjects
from folkmoot.spaces.model import (
    HOLD_MS,
    AccountFacts,
    Audience,
    EndReason,
    SpeakPolicy,
)
from folkmoot.spaces.refusals import Code
from folkmoot.spaces.rules import resolve_audience


def test_a_suspended_speaker_is_out_and_a_lifted_one_may_return() -> None:
    room = live()
    room.speak(ANNA)
    changes = room.see(c.StandingLost(ANNA))
    assert [s for change in changes for s in revoked_subjects(room.space, change)] == ["seat:5:2", "member:5:2"]
    room.facts = facts(pool=range(1, 2))
    assert room.refused(ANNA, c.Ask()) is Code.NO_SUCH_ACCOUNT
    room.facts = EVERYBODY
    assert room.speak(ANNA) == 3


def test_a_suspended_host_leaves_the_room_to_the_co_host() -> None:
    room = live()
    co_host(room, ANNA)
    co_host(room, BERT)
    room.see(c.SeatLost(2))
    room.see(c.StandingLost(HOST))
    assert room.space.host_id == BERT, "who is connected carries on"
    assert HOST not in room.space.members
    assert room.space.hold_until_ms is None


def test_a_suspended_host_alone_ends_the_space_after_the_hold() -> None:
    room = live()
    room.speak(ANNA)
    room.see(c.StandingLost(HOST))
    assert room.seat(HOST) is None
    assert "space:5" in room.revoked(), "nobody is shown it now: who listens and who speaks is cut off at once"
    room.pass_ms(HOLD_MS)
    assert room.space.ended_reason is EndReason.HOST_ABSENT


def test_another_host_follows_others_so_that_who_listens_is_asked_again() -> None:
    room = live(closed(audience=Audience.FOLLOWED))
    room.facts = facts(followed=(ANNA,))
    room.speak(ANNA)
    room.do(HOST, c.HandOver(account=str(ANNA)))
    assert room.revoked() == {"audience:5"}
    room = live(closed())
    room.speak(ANNA)
    room.do(HOST, c.HandOver(account=str(ANNA)))
    assert room.revoked() == set(), "anybody may listen to either"


@pytest.mark.parametrize(
    ("audience", "ended"),
    [(Audience.PUBLIC, set()), (Audience.FOLLOWED, {"member:5:2"}), (Audience.INVITED, {"member:5:2"})],
)
@pytest.mark.parametrize(("who", "word"), [(HOST, c.Uninvite(account=str(ANNA))), (ANNA, c.Decline())])
def test_who_is_no_guest_any_more_is_asked_again(
    audience: Audience, ended: set[str], who: int, word: c.Command
) -> None:
    room = live(closed(audience=audience))
    room.do(HOST, c.Invite(account=str(ANNA), role="listener"))
    room.do(who, word)
    assert room.revoked() == ended


def test_who_saw_a_closed_space_from_the_stage_only_is_asked_again_off_it() -> None:
    room = live(closed(audience=Audience.FOLLOWED))
    room.facts = facts(followed=(ANNA,))
    seat = room.speak(ANNA)
    room.do(ANNA, c.StepDown())
    assert room.revoked() == {f"seat:5:{seat}", "member:5:2"}


def test_the_gate_says_who_belongs_as_the_rules_do() -> None:
    room = live(closed(audience=Audience.FOLLOWED))
    room.facts = facts(followed=(ANNA, BERT))
    room.do(ANNA, c.Ask())
    room.do(HOST, c.Remove(account=str(BERT)))
    room.do(HOST, c.Invite(account=str(CARL), role="listener"))
    seen = room.space.gate_facts()
    assert seen.named_ids == {HOST, CARL}, "asking alone lets nobody stay whom the host follows no more"
    assert seen.barred_ids == {BERT}


def test_a_suspension_takes_nothing_from_a_space_to_come() -> None:
    room = scheduled()
    room.do(HOST, c.Invite(account=str(ANNA), role="co_host"))
    room.do(ANNA, c.Accept())
    assert room.see(c.StandingLost(ANNA)) == ()
    assert room.see(c.StandingLost(HOST)) == ()


def test_blocked_people_cannot_ask_and_leave_the_stage() -> None:
    room = live()
    room.speak(ANNA)
    room.do(BERT, c.Ask(recording_consent=True))
    room.facts = facts(blocked=(ANNA, BERT, CARL))
    assert room.refused(CARL, c.Ask()) is Code.BLOCKED
    assert room.refused(HOST, c.LetUp(account=str(BERT))) is Code.BLOCKED
    assert room.refused(HOST, c.Invite(account=str(CARL))) is Code.BLOCKED
    room.see(c.MemberBlocked(ANNA))
    room.see(c.MemberBlocked(BERT))
    assert set(room.space.members) == {HOST}
    assert room.see(c.MemberBlocked(HOST)) == ()


def test_speaking_by_follow() -> None:
    room = live(closed(SpeakPolicy.FOLLOWED))
    room.facts = facts(followed=(ANNA,))
    room.do(ANNA, c.Ask())
    assert room.refused(BERT, c.Ask()) is Code.SPEAKING_BY_FOLLOW
    room.facts = facts()
    assert room.refused(HOST, c.LetUp(account=str(ANNA))) is Code.SPEAKING_BY_FOLLOW
    room.do(HOST, c.Invite(account=str(BERT)))
    room.do(BERT, c.Accept())


def test_speaking_by_invitation() -> None:
    room = live(closed(SpeakPolicy.INVITED))
    assert room.refused(ANNA, c.Ask()) is Code.SPEAKING_BY_INVITATION
    room.do(HOST, c.Invite(account=str(BERT), role="listener"))
    assert room.refused(BERT, c.Ask()) is Code.SPEAKING_BY_INVITATION
    room.do(HOST, c.Invite(account=str(ANNA)))
    room.do(ANNA, c.Accept())
    room.do(ANNA, c.StepDown())
    room.do(ANNA, c.Ask())
    room.do(HOST, c.LetUp(account=str(ANNA)))


def test_who_may_listen() -> None:
    follow, stranger = AccountFacts(followed_by_host=True), AccountFacts()
    public, followed, invited = (live(closed(audience=audience)) for audience in Audience)
    assert resolve_audience(public.space, None, None)
    assert not resolve_audience(followed.space, None, None)
    assert resolve_audience(followed.space, ANNA, follow)
    assert not resolve_audience(followed.space, ANNA, stranger)
    assert not resolve_audience(invited.space, ANNA, follow)
    invited.do(HOST, c.Invite(account=str(ANNA), role="listener"))
    assert resolve_audience(invited.space, ANNA, stranger)
    assert resolve_audience(invited.space, HOST, stranger)
    assert followed.refused(ANNA, c.Ask()) is Code.NOT_IN_AUDIENCE


def test_withdrawing_an_invitation_closes_a_closed_room() -> None:
    room = live(closed(audience=Audience.INVITED))
    room.do(HOST, c.Invite(account=str(ANNA)))
    declined = room.do(ANNA, c.Decline())
    assert resolve_audience(room.space, ANNA, None), "who won't speak may listen"
    assert [s for change in declined for s in revoked_subjects(room.space, change)] == []
    room.do(ANNA, c.Ask())
    withdrawn = room.do(HOST, c.Uninvite(account=str(ANNA)))
    assert not resolve_audience(room.space, ANNA, None)
    assert [s for change in withdrawn for s in revoked_subjects(room.space, change)] == ["member:5:2"]
    assert room.space.queue == []
