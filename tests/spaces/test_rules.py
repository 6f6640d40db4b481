"""The rules one by one, as people meet them."""

import pytest
from tests.spaces.rooms import EVERYBODY, HOST, NOW_MS, Room, co_host, facts, live, scheduled

from folkmoot.spaces import commands as c
from folkmoot.spaces.changes import Ended, HoldEnded, HoldStarted, SeatTaken, SeatVacated, revoked_subjects
from folkmoot.spaces.model import (
    HOLD_MS,
    RECONNECT_GRACE_MS,
    AccountFacts,
    Audience,
    Draft,
    EndReason,
    Facts,
    MutedBy,
    Role,
    SpaceState,
    SpeakPolicy,
)
from folkmoot.spaces.refusals import SENTENCES, Code, Refused
from folkmoot.spaces.rules import create, observe, permissions, resolve_audience

ANNA, BERT, CARL, DORA = 2, 3, 4, 5


def on(account: int) -> str:
    return str(account)


def revoked(room: Room) -> set[str]:
    """The subjects that ended with what happened last."""
    return {subject for change in room.changes for subject in revoked_subjects(room.space, change)}


def closed(policy: SpeakPolicy = SpeakPolicy.EVERYONE, audience: Audience = Audience.PUBLIC) -> Draft:
    return Draft(title="Ours", speak_policy=policy, audience=audience, recorded=False)


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


def test_asker_who_agreed_is_seated_at_once() -> None:
    room = live()
    room.do(ANNA, c.Ask(recording_consent=True))
    room.do(HOST, c.LetUp(account=on(ANNA)))
    assert room.seat(ANNA) == 2
    assert room.space.member(ANNA).role is Role.SPEAKER


def test_asker_who_has_yet_to_agree_gets_an_invitation() -> None:
    room = live()
    room.do(ANNA, c.Ask())
    room.do(HOST, c.LetUp(account=on(ANNA)))
    assert room.seat(ANNA) is None
    assert room.refused(ANNA, c.Accept()) is Code.CONSENT_NEEDED
    room.do(ANNA, c.Accept(recording_consent=True))
    assert room.seat(ANNA) == 2


def test_an_asker_can_agree_while_waiting() -> None:
    room = live()
    room.do(ANNA, c.Ask())
    room.do(ANNA, c.Consent(recording_consent=True))
    room.do(HOST, c.LetUp(account=on(ANNA)))
    assert room.seat(ANNA) == 2


def test_nothing_to_agree_to_without_a_recording() -> None:
    room = live(closed())
    assert room.refused(HOST, c.Consent(recording_consent=True)) is Code.NOT_RECORDED
    room.do(ANNA, c.Ask())
    room.do(HOST, c.LetUp(account=on(ANNA)))
    assert room.seat(ANNA) == 2


def test_taking_back_the_agreement_leads_off_stage() -> None:
    room = live()
    room.speak(ANNA)
    room.do(ANNA, c.Consent(recording_consent=False))
    assert room.space.member(ANNA).blank
    room.do(HOST, c.Consent(recording_consent=False))
    assert room.space.member(HOST).role is Role.HOST
    assert room.space.hold_until_ms is not None


def test_an_agreement_counts_for_one_stint() -> None:
    room = live()
    room.speak(ANNA)
    room.do(ANNA, c.StepDown())
    room.do(HOST, c.Invite(account=on(ANNA)))
    assert room.refused(ANNA, c.Accept()) is Code.CONSENT_NEEDED


def test_an_agreement_lapses_with_the_ask_it_was_given_for() -> None:
    room = live()
    room.do(HOST, c.Invite(account=on(ANNA), role="listener"))
    room.do(ANNA, c.Ask(recording_consent=True))
    room.do(ANNA, c.Unask())
    room.do(ANNA, c.Ask())
    room.do(HOST, c.LetUp(account=on(ANNA)))
    assert room.seat(ANNA) is None


def test_seats_are_numbered_on_and_never_again() -> None:
    room = live()
    assert room.speak(ANNA) == 2
    room.do(ANNA, c.StepDown())
    assert room.speak(BERT) == 3
    assert room.speak(ANNA) == 4


def fill(room: Room, people: range) -> None:
    for account in people:
        room.speak(account)


def test_the_stage_has_thirteen_places() -> None:
    room = live()
    fill(room, range(2, 14))
    assert len(room.space.stage) == 13
    room.do(14, c.Ask(recording_consent=True))
    assert room.refused(HOST, c.LetUp(account="14")) is Code.STAGE_FULL
    room.do(HOST, c.Invite(account="15"))
    assert room.refused(15, c.Accept(recording_consent=True)) is Code.STAGE_FULL
    room.do(2, c.StepDown())
    room.do(HOST, c.LetUp(account="14"))
    assert len(room.space.stage) == 13


def test_an_absent_hosts_place_is_kept() -> None:
    room = live()
    co_host(room, ANNA)
    fill(room, range(3, 13))
    room.see(c.SeatLost(1))
    room.pass_ms(RECONNECT_GRACE_MS)
    assert room.seat(HOST) is None
    room.speak(13, host=ANNA)
    room.do(14, c.Ask(recording_consent=True))
    assert room.refused(ANNA, c.LetUp(account="14")) is Code.STAGE_FULL
    room.do(HOST, c.Accept(recording_consent=True))
    assert len(room.space.stage) == 13


def test_at_most_two_co_hosts() -> None:
    room = live()
    co_host(room, ANNA)
    co_host(room, BERT)
    room.speak(CARL)
    assert room.refused(HOST, c.MakeCoHost(account=on(CARL))) is Code.CO_HOSTS_FULL
    assert room.refused(HOST, c.Invite(account=on(DORA), role="co_host")) is Code.CO_HOSTS_FULL
    assert room.refused(ANNA, c.UnmakeCoHost(account=on(BERT))) is Code.NOT_HOST
    room.do(ANNA, c.UnmakeCoHost(account=on(ANNA)))
    assert room.space.member(ANNA).role is Role.SPEAKER


def test_co_hosts_invited_before_the_start_may_start_it() -> None:
    room = scheduled()
    room.do(HOST, c.Invite(account=on(ANNA), role="co_host"))
    room.do(ANNA, c.Accept())
    assert room.refused(ANNA, c.Cancel()) is Code.NOT_HOST
    room.do(ANNA, c.Start())
    assert (room.seat(ANNA), room.seat(HOST)) == (1, None)
    room.do(HOST, c.Accept(recording_consent=True))
    assert room.seat(HOST) == 2


def test_an_invitation_to_speak_waits_for_the_start() -> None:
    room = scheduled()
    room.do(HOST, c.Invite(account=on(ANNA)))
    assert room.refused(ANNA, c.Accept(recording_consent=True)) is Code.NOT_LIVE
    room.do(HOST, c.Start())
    room.do(ANNA, c.Accept(recording_consent=True))
    assert room.seat(ANNA) == 2


def test_the_queue_is_bounded_and_in_order() -> None:
    room = live(closed())
    for account in range(2, 202):
        room.now_ms += 1
        room.do(account, c.Ask())
    assert room.refused(202, c.Ask()) is Code.QUEUE_FULL
    assert [member.account_id for member in room.space.queue] == list(range(2, 202))
    room.do(2, c.Unask())
    room.do(202, c.Ask())


def test_open_invitations_are_bounded() -> None:
    room = live(closed())
    for account in range(2, 202):
        room.do(HOST, c.Invite(account=on(account)))
    assert room.refused(HOST, c.Invite(account="202")) is Code.INVITATIONS_FULL
    room.do(HOST, c.Invite(account="201", role="listener"))
    room.do(202, c.Ask())
    room.do(HOST, c.LetUp(account="202"))
    assert room.seat(202) == 2


def test_a_locked_room_lets_nobody_up_but_the_host_back() -> None:
    room = live()
    room.speak(ANNA)
    room.do(BERT, c.Ask(recording_consent=True))
    room.do(HOST, c.Invite(account=on(CARL)))
    room.do(HOST, c.Lock())
    assert room.refused(DORA, c.Ask()) is Code.ROOM_LOCKED
    assert room.refused(HOST, c.LetUp(account=on(BERT))) is Code.ROOM_LOCKED
    assert room.refused(CARL, c.Accept(recording_consent=True)) is Code.ROOM_LOCKED
    assert room.seat(ANNA) == 2
    room.do(HOST, c.StepDown())
    room.do(HOST, c.Accept(recording_consent=True))
    assert room.seat(HOST) == 3
    room.do(HOST, c.Unlock())
    room.do(HOST, c.LetUp(account=on(BERT)))


def test_removed_is_out_by_every_way_until_let_back() -> None:
    room = live()
    room.speak(ANNA)
    changes = room.do(HOST, c.Remove(account=on(ANNA)))
    revoked = [subject for change in changes for subject in revoked_subjects(room.space, change)]
    assert revoked == ["seat:5:2", "member:5:2"]
    assert not resolve_audience(room.space, ANNA, AccountFacts(followed_by_host=True))
    assert permissions(room.space, ANNA, EVERYBODY, NOW_MS) == frozenset()
    for command in (c.Ask(), c.Accept(), c.Unmute(), c.Consent(recording_consent=True)):
        assert room.refused(ANNA, command) is Code.REMOVED
    for way in (c.Invite, c.MakeCoHost, c.HandOver):
        assert room.refused(HOST, way(account=on(ANNA))) is Code.REMOVED
    assert room.refused(HOST, c.LetUp(account=on(ANNA))) is Code.NOT_ASKING
    room.do(HOST, c.LetBack(account=on(ANNA)))
    assert room.speak(ANNA) == 3


def test_who_only_listens_can_be_removed_too() -> None:
    room = live()
    room.do(HOST, c.Remove(account=on(ANNA)))
    assert room.refused(ANNA, c.Ask()) is Code.REMOVED


def test_who_lost_standing_can_still_be_removed() -> None:
    room = live()
    room.do(HOST, c.Invite(account=on(ANNA)))
    room.facts = facts(pool=range(1, 2))
    room.do(HOST, c.Remove(account=on(ANNA)))
    assert room.refused(HOST, c.Remove(account=on(BERT))) is Code.NO_SUCH_ACCOUNT


def test_co_hosts_keep_order_below_their_rank() -> None:
    room = live()
    co_host(room, ANNA)
    co_host(room, BERT)
    room.speak(CARL)
    room.do(ANNA, c.Mute(account=on(CARL)))
    for above in (HOST, BERT):
        assert room.refused(ANNA, c.Mute(account=on(above))) is Code.OUTRANKED
        assert room.refused(ANNA, c.Remove(account=on(above))) is Code.OUTRANKED
    assert room.refused(HOST, c.Remove(account=on(HOST))) is Code.OUTRANKED
    assert room.refused(CARL, c.Mute(account=on(ANNA))) is Code.NOT_HOST_OR_CO_HOST


def test_a_host_mutes_and_the_person_unmutes() -> None:
    room = live()
    room.speak(ANNA)
    room.do(HOST, c.Mute(account=on(ANNA)))
    assert room.space.member(ANNA).muted_by is MutedBy.HOST
    room.do(ANNA, c.Unmute())
    room.do(ANNA, c.Mute(account=on(ANNA)))
    assert room.space.member(ANNA).muted_by is MutedBy.SELF


def test_mute_all_silences_the_speakers_alone() -> None:
    room = live()
    co_host(room, ANNA)
    fill(room, range(3, 6))
    room.do(ANNA, c.MuteAll())
    assert [member.account_id for member in room.space.stage if member.muted_by] == [3, 4, 5]
    assert room.refused(ANNA, c.MuteAll()) is Code.NOBODY_TO_MUTE


def test_a_mute_outlives_a_lost_connection() -> None:
    room = live()
    seat = room.speak(ANNA)
    room.do(HOST, c.Mute(account=on(ANNA)))
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
    assert HoldEnded() in room.do(HOST, c.MakeCoHost(account=on(ANNA)))


def test_a_connection_for_a_seat_that_is_gone_is_refused() -> None:
    room = live()
    seat = room.speak(ANNA)
    room.do(HOST, c.Remove(account=on(ANNA)))
    refused = observe(room.space, c.SeatConnected(seat), NOW_MS)
    assert isinstance(refused, Refused)
    assert refused.code is Code.NO_SUCH_SEAT


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
    room.do(HOST, c.Invite(account=on(ANNA)))
    room.do(HOST, c.Cancel())
    assert room.space.state is SpaceState.CANCELLED
    assert room.refused(HOST, c.Start()) is Code.CANCELLED
    assert room.refused(ANNA, c.Accept()) is Code.CANCELLED


def test_handing_over() -> None:
    room = live()
    room.speak(ANNA)
    assert room.refused(HOST, c.HandOver(account=on(BERT))) is Code.NOT_ON_STAGE
    room.do(HOST, c.HandOver(account=on(ANNA)))
    assert (room.space.host_id, room.space.member(HOST).role) == (ANNA, Role.CO_HOST)
    assert room.space.creator_id == HOST
    assert room.refused(HOST, c.HandOver(account=on(HOST))) is Code.NOT_HOST


def test_handing_over_past_two_co_hosts_makes_a_speaker() -> None:
    room = live()
    co_host(room, ANNA)
    co_host(room, BERT)
    room.speak(CARL)
    room.do(HOST, c.HandOver(account=on(CARL)))
    assert room.space.member(HOST).role is Role.SPEAKER


def test_a_late_answer_finds_the_co_hosts_complete() -> None:
    room = live()
    room.do(HOST, c.Invite(account=on(DORA), role="co_host"))
    co_host(room, ANNA)
    co_host(room, BERT)
    assert room.refused(DORA, c.Accept(recording_consent=True)) is Code.CO_HOSTS_FULL


def test_who_is_up_needs_no_way_up() -> None:
    room = live()
    room.speak(ANNA)
    assert room.refused(HOST, c.Accept(recording_consent=True)) is Code.ALREADY_ON_STAGE
    assert room.refused(ANNA, c.Ask()) is Code.ALREADY_ON_STAGE
    assert room.refused(HOST, c.Invite(account=on(ANNA))) is Code.ALREADY_ON_STAGE
    room.do(HOST, c.Invite(account=on(BERT)))
    assert room.refused(BERT, c.Ask()) is Code.ALREADY_INVITED
    assert room.refused(HOST, c.Invite(account=on(BERT))) is Code.ALREADY_INVITED


def test_a_guest_who_is_let_up_has_answered_the_invitation() -> None:
    room = live(closed(audience=Audience.INVITED))
    room.do(HOST, c.Invite(account=on(ANNA), role="listener"))
    room.do(ANNA, c.Ask())
    room.do(HOST, c.LetUp(account=on(ANNA)))
    assert room.space.invitations_open == 0


def test_a_block_after_the_end_changes_nothing() -> None:
    room = live()
    room.do(HOST, c.Invite(account=on(ANNA)))
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
    room.do(HOST, c.HandOver(account=on(CARL)))
    assert HOST not in room.space.members
    room.do(CARL, c.UnmakeCoHost(account=on(BERT)))
    assert BERT not in room.space.members


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
    assert "space:5" in revoked(room), "nobody is shown it now: who listens and who speaks is cut off at once"
    room.pass_ms(HOLD_MS)
    assert room.space.ended_reason is EndReason.HOST_ABSENT


def test_another_host_follows_others_so_that_who_listens_is_asked_again() -> None:
    room = live(closed(audience=Audience.FOLLOWED))
    room.facts = facts(followed=(ANNA,))
    room.speak(ANNA)
    room.do(HOST, c.HandOver(account=on(ANNA)))
    assert revoked(room) == {"audience:5"}
    room = live(closed())
    room.speak(ANNA)
    room.do(HOST, c.HandOver(account=on(ANNA)))
    assert revoked(room) == set(), "anybody may listen to either"


@pytest.mark.parametrize(
    ("audience", "ended"),
    [(Audience.PUBLIC, set()), (Audience.FOLLOWED, {"member:5:2"}), (Audience.INVITED, {"member:5:2"})],
)
@pytest.mark.parametrize(("who", "word"), [(HOST, c.Uninvite(account=on(ANNA))), (ANNA, c.Decline())])
def test_who_is_no_guest_any_more_is_asked_again(
    audience: Audience, ended: set[str], who: int, word: c.Command
) -> None:
    room = live(closed(audience=audience))
    room.do(HOST, c.Invite(account=on(ANNA), role="listener"))
    room.do(who, word)
    assert revoked(room) == ended


def test_who_saw_a_closed_space_from_the_stage_only_is_asked_again_off_it() -> None:
    room = live(closed(audience=Audience.FOLLOWED))
    room.facts = facts(followed=(ANNA,))
    seat = room.speak(ANNA)
    room.do(ANNA, c.StepDown())
    assert revoked(room) == {f"seat:5:{seat}", "member:5:2"}


def test_the_gate_says_who_belongs_as_the_rules_do() -> None:
    room = live(closed(audience=Audience.FOLLOWED))
    room.facts = facts(followed=(ANNA, BERT))
    room.do(ANNA, c.Ask())
    room.do(HOST, c.Remove(account=on(BERT)))
    room.do(HOST, c.Invite(account=on(CARL), role="listener"))
    seen = room.space.gate_facts()
    assert seen.named_ids == {HOST, CARL}, "asking alone lets nobody stay whom the host follows no more"
    assert seen.barred_ids == {BERT}


def test_a_suspension_takes_nothing_from_a_space_to_come() -> None:
    room = scheduled()
    room.do(HOST, c.Invite(account=on(ANNA), role="co_host"))
    room.do(ANNA, c.Accept())
    assert room.see(c.StandingLost(ANNA)) == ()
    assert room.see(c.StandingLost(HOST)) == ()


def test_blocked_people_cannot_ask_and_leave_the_stage() -> None:
    room = live()
    room.speak(ANNA)
    room.do(BERT, c.Ask(recording_consent=True))
    room.facts = facts(blocked=(ANNA, BERT, CARL))
    assert room.refused(CARL, c.Ask()) is Code.BLOCKED
    assert room.refused(HOST, c.LetUp(account=on(BERT))) is Code.BLOCKED
    assert room.refused(HOST, c.Invite(account=on(CARL))) is Code.BLOCKED
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
    assert room.refused(HOST, c.LetUp(account=on(ANNA))) is Code.SPEAKING_BY_FOLLOW
    room.do(HOST, c.Invite(account=on(BERT)))
    room.do(BERT, c.Accept())


def test_speaking_by_invitation() -> None:
    room = live(closed(SpeakPolicy.INVITED))
    assert room.refused(ANNA, c.Ask()) is Code.SPEAKING_BY_INVITATION
    room.do(HOST, c.Invite(account=on(BERT), role="listener"))
    assert room.refused(BERT, c.Ask()) is Code.SPEAKING_BY_INVITATION
    room.do(HOST, c.Invite(account=on(ANNA)))
    room.do(ANNA, c.Accept())
    room.do(ANNA, c.StepDown())
    room.do(ANNA, c.Ask())
    room.do(HOST, c.LetUp(account=on(ANNA)))


def test_who_may_listen() -> None:
    follow, stranger = AccountFacts(followed_by_host=True), AccountFacts()
    public, followed, invited = (live(closed(audience=audience)) for audience in Audience)
    assert resolve_audience(public.space, None, None)
    assert not resolve_audience(followed.space, None, None)
    assert resolve_audience(followed.space, ANNA, follow)
    assert not resolve_audience(followed.space, ANNA, stranger)
    assert not resolve_audience(invited.space, ANNA, follow)
    invited.do(HOST, c.Invite(account=on(ANNA), role="listener"))
    assert resolve_audience(invited.space, ANNA, stranger)
    assert resolve_audience(invited.space, HOST, stranger)
    assert followed.refused(ANNA, c.Ask()) is Code.NOT_IN_AUDIENCE


def test_withdrawing_an_invitation_closes_a_closed_room() -> None:
    room = live(closed(audience=Audience.INVITED))
    room.do(HOST, c.Invite(account=on(ANNA)))
    declined = room.do(ANNA, c.Decline())
    assert resolve_audience(room.space, ANNA, None), "who won't speak may listen"
    assert [s for change in declined for s in revoked_subjects(room.space, change)] == []
    room.do(ANNA, c.Ask())
    withdrawn = room.do(HOST, c.Uninvite(account=on(ANNA)))
    assert not resolve_audience(room.space, ANNA, None)
    assert [s for change in withdrawn for s in revoked_subjects(room.space, change)] == ["member:5:2"]
    assert room.space.queue == []


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
    (taken, _) = room.do(HOST, c.LetUp(account=on(ANNA)))
    assert isinstance(taken, SeatTaken)
    assert room.space.next_deadline_ms == taken.connect_by_ms
    assert scheduled().space.next_deadline_ms is None
