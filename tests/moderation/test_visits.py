"""Who came to listen is remembered in memory: no more than so many."""

import pytest

from folkmoot.moderation.evasion import visits
from folkmoot.spaces.model import Audience, Space, SpaceState, SpeakPolicy


def space_of(number: int) -> Space:
    return Space(
        id=number,
        title="",
        topics=(),
        language="en",
        creator_id=9,
        host_id=9,
        audience=Audience.PUBLIC,
        speak_policy=SpeakPolicy.EVERYONE,
        recorded=False,
        created_at_ms=0,
        state=SpaceState.LIVE,
        members={},
    )


def test_no_more_people_are_remembered_than_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits, "PEOPLE_MAX", 3)
    book = visits.Visits()
    for account_id in (1, 2, 2, 3, 4):
        book.note(space_of(account_id % 2), account_id)
    assert {key: door.came for key, door in book._doors.items()} == {0: {2, 4}}
