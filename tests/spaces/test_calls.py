"""Who is called from the sound, and that nobody else can tell."""

from hypothesis import given
from hypothesis import strategies as st
from tests.spaces.rooms import ANNA, BERT, CARL, DORA, HOST, NOW_MS, live

from folkmoot.spaces import commands as c
from folkmoot.spaces.calls import CALLED_FOR_MS, Calls, call, call_key
from folkmoot.stage.protocol import CALLS_MAX

SECRET = b"s" * 32


def is_for(told: str, account_id: int, space_id: int) -> bool:
    """As the web client decides it."""
    return call(call_key(SECRET, space_id, account_id), bytes.fromhex(told)[:4]) == told


def called(told: list[str], space_id: int) -> set[int]:
    return {account_id for account_id in range(1, 300) for one in told if is_for(one, account_id, space_id)}


def test_who_is_invited_is_called_and_nobody_else() -> None:
    room = live()
    calls = Calls(SECRET)
    assert calls.after(room.space, NOW_MS) == []
    room.do(HOST, c.Invite(account=str(ANNA)))
    (told,) = calls.after(room.space, NOW_MS)
    assert len(told) == 16
    assert [account_id for account_id in range(1, 36_000) if is_for(told, account_id, room.space.id)] == [ANNA]
    assert not is_for(told, ANNA, room.space.id + 1)


def test_a_call_is_heard_for_a_while_and_is_another_each_time() -> None:
    room = live()
    calls = Calls(SECRET)
    calls.after(room.space, NOW_MS)
    room.do(HOST, c.Invite(account=str(ANNA)))
    first = calls.after(room.space, NOW_MS)
    assert calls.after(room.space, NOW_MS + CALLED_FOR_MS - 1) == first
    assert calls.after(room.space, NOW_MS + CALLED_FOR_MS) == []
    room.do(HOST, c.Uninvite(account=str(ANNA)))
    (second,) = calls.after(room.space, NOW_MS + CALLED_FOR_MS)
    assert second[:8] != first[0][:8]
    assert second[8:] != first[0][8:]
    assert is_for(second, ANNA, room.space.id)


def test_who_is_removed_or_muted_is_called_also_when_that_is_over() -> None:
    room = live()
    calls = Calls(SECRET)
    calls.after(room.space, NOW_MS)
    room.do(HOST, c.Remove(account=str(ANNA), seconds=60))
    room.do(HOST, c.Mute(account=str(BERT), seconds=60))
    assert called(calls.after(room.space, NOW_MS), room.space.id) == {ANNA, BERT}
    room.pass_ms(60_000)
    assert called(calls.after(room.space, room.now_ms), room.space.id) == {ANNA, BERT}


def test_who_asks_or_speaks_follows_already() -> None:
    room = live()
    room.speak(CARL)
    calls = Calls(SECRET)
    calls.after(room.space, NOW_MS)
    for asker in range(100, 200):
        room.do(asker, c.Ask(recording_consent=True))
        room.do(asker, c.Unask())
    room.do(CARL, c.Mute(account=str(CARL)))
    room.do(CARL, c.StepDown())
    assert calls.after(room.space, NOW_MS) == []
    room.do(DORA, c.Ask(recording_consent=True))
    room.do(HOST, c.LetUp(account=str(DORA)))
    assert called(calls.after(room.space, NOW_MS), room.space.id) == {DORA}


def test_whoever_comes_to_keep_a_space_calls_those_whose_invitation_is_open() -> None:
    room = live()
    room.do(HOST, c.Remove(account=str(ANNA)))
    room.do(HOST, c.Invite(account=str(BERT)))
    assert called(Calls(SECRET).after(room.space, NOW_MS), room.space.id) == {BERT}


def test_so_many_are_called_at_once_and_no_more() -> None:
    room = live()
    calls = Calls(SECRET)
    calls.after(room.space, NOW_MS)
    for guest in range(100, 100 + CALLS_MAX + 5):
        room.do(HOST, c.Invite(account=str(guest)))
        told = calls.after(room.space, NOW_MS)
        assert is_for(told[-1], guest, room.space.id)
    assert len(told) == CALLS_MAX


@given(st.binary(min_size=4, max_size=4), st.integers(1, 2**62), st.integers(1, 2**62))
def test_a_call_is_known_by_its_key(chance: bytes, account_id: int, space_id: int) -> None:
    told = call(call_key(SECRET, space_id, account_id), chance)
    assert is_for(told, account_id, space_id)
    assert told == told.lower()
    assert len(told) == 16
