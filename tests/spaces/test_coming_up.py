"""The rules one by one: how one comes on stage."""

from tests.spaces.rooms import ANNA, BERT, CARL, DORA, HOST, Room, closed, co_host, live, scheduled

from folkmoot.spaces import commands as c
from folkmoot.spaces.model import (
    RECONNECT_GRACE_MS,
    Audience,
    Role,
)
from folkmoot.spaces.refusals import Code


def test_asker_who_agreed_is_seated_at_once() -> None:
    room = live()
    room.do(ANNA, c.Ask(recording_consent=True))
    room.do(HOST, c.LetUp(account=str(ANNA)))
    assert room.seat(ANNA) == 2
    assert room.space.member(ANNA).role is Role.SPEAKER


def test_asker_who_has_yet_to_agree_gets_an_invitation() -> None:
    room = live()
    room.do(ANNA, c.Ask())
    room.do(HOST, c.LetUp(account=str(ANNA)))
    assert room.seat(ANNA) is None
    assert room.refused(ANNA, c.Accept()) is Code.CONSENT_NEEDED
    room.do(ANNA, c.Accept(recording_consent=True))
    assert room.seat(ANNA) == 2


def test_an_asker_can_agree_while_waiting() -> None:
    room = live()
    room.do(ANNA, c.Ask())
    room.do(ANNA, c.Consent(recording_consent=True))
    room.do(HOST, c.LetUp(account=str(ANNA)))
    assert room.seat(ANNA) == 2


def test_nothing_to_agree_to_without_a_recording() -> None:
    room = live(closed())
    assert room.refused(HOST, c.Consent(recording_consent=True)) is Code.NOT_RECORDED
    room.do(ANNA, c.Ask())
    room.do(HOST, c.LetUp(account=str(ANNA)))
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
    room.do(HOST, c.Invite(account=str(ANNA)))
    assert room.refused(ANNA, c.Accept()) is Code.CONSENT_NEEDED


def test_an_agreement_lapses_with_the_ask_it_was_given_for() -> None:
    room = live()
    room.do(HOST, c.Invite(account=str(ANNA), role="listener"))
    room.do(ANNA, c.Ask(recording_consent=True))
    room.do(ANNA, c.Unask())
    room.do(ANNA, c.Ask())
    room.do(HOST, c.LetUp(account=str(ANNA)))
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
    assert room.refused(HOST, c.MakeCoHost(account=str(CARL))) is Code.CO_HOSTS_FULL
    assert room.refused(HOST, c.Invite(account=str(DORA), role="co_host")) is Code.CO_HOSTS_FULL
    assert room.refused(ANNA, c.UnmakeCoHost(account=str(BERT))) is Code.NOT_HOST
    room.do(ANNA, c.UnmakeCoHost(account=str(ANNA)))
    assert room.space.member(ANNA).role is Role.SPEAKER


def test_co_hosts_invited_before_the_start_may_start_it() -> None:
    room = scheduled()
    room.do(HOST, c.Invite(account=str(ANNA), role="co_host"))
    room.do(ANNA, c.Accept())
    assert room.refused(ANNA, c.Cancel()) is Code.NOT_HOST
    room.do(ANNA, c.Start())
    assert (room.seat(ANNA), room.seat(HOST)) == (1, None)
    room.do(HOST, c.Accept(recording_consent=True))
    assert room.seat(HOST) == 2


def test_an_invitation_to_speak_waits_for_the_start() -> None:
    room = scheduled()
    room.do(HOST, c.Invite(account=str(ANNA)))
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
        room.do(HOST, c.Invite(account=str(account)))
    assert room.refused(HOST, c.Invite(account="202")) is Code.INVITATIONS_FULL
    room.do(HOST, c.Invite(account="201", role="listener"))
    room.do(202, c.Ask())
    room.do(HOST, c.LetUp(account="202"))
    assert room.seat(202) == 2


def test_a_locked_room_lets_nobody_up_but_the_host_back() -> None:
    room = live()
    room.speak(ANNA)
    room.do(BERT, c.Ask(recording_consent=True))
    room.do(HOST, c.Invite(account=str(CARL)))
    room.do(HOST, c.Lock())
    assert room.refused(DORA, c.Ask()) is Code.ROOM_LOCKED
    assert room.refused(HOST, c.LetUp(account=str(BERT))) is Code.ROOM_LOCKED
    assert room.refused(CARL, c.Accept(recording_consent=True)) is Code.ROOM_LOCKED
    assert room.seat(ANNA) == 2
    room.do(HOST, c.StepDown())
    room.do(HOST, c.Accept(recording_consent=True))
    assert room.seat(HOST) == 3
    room.do(HOST, c.Unlock())
    room.do(HOST, c.LetUp(account=str(BERT)))


def test_who_is_up_needs_no_way_up() -> None:
    room = live()
    room.speak(ANNA)
    assert room.refused(HOST, c.Accept(recording_consent=True)) is Code.ALREADY_ON_STAGE
    assert room.refused(ANNA, c.Ask()) is Code.ALREADY_ON_STAGE
    assert room.refused(HOST, c.Invite(account=str(ANNA))) is Code.ALREADY_ON_STAGE
    room.do(HOST, c.Invite(account=str(BERT)))
    assert room.refused(BERT, c.Ask()) is Code.ALREADY_INVITED
    assert room.refused(HOST, c.Invite(account=str(BERT))) is Code.ALREADY_INVITED


def test_a_guest_who_is_let_up_has_answered_the_invitation() -> None:
    room = live(closed(audience=Audience.INVITED))
    room.do(HOST, c.Invite(account=str(ANNA), role="listener"))
    room.do(ANNA, c.Ask())
    room.do(HOST, c.LetUp(account=str(ANNA)))
    assert room.space.invitations_open == 0
