"""Announcements over HTTP: read, put away, reacted to."""

import httpx
import pytest
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.surfaces.conftest import Person

from folkmoot.gate import Acting, Action, Refused
from folkmoot.timelines.announcements import actions
from folkmoot.timelines.announcements.rules import is_emoji

PATH = "/api/v1/announcements"


async def publish(people: People, text: str, ends_at_ms: int | None = None) -> str:
    async def work(acting: Acting) -> int:
        return await actions.publish(acting, text, starts_at_ms=None, ends_at_ms=ends_at_ms, all_day=False)

    return str(await people.system(work))


async def test_everybody_is_told(
    client: httpx.AsyncClient, people: People, clock: FakeClock, alice: Person
) -> None:
    assert (await client.get(PATH, headers=alice.headers)).json() == []
    assert (await client.get(PATH)).status_code == 401
    first = await publish(people, "We move <b>tonight</b>: https://moot.test/move\n\n#moving", clock() + 1_000)
    second = await publish(people, "Done")
    newest, oldest = (await client.get(PATH, headers=alice.headers)).json()
    assert (newest["id"], oldest["id"]) == (second, first)
    assert "&lt;b&gt;tonight" in oldest["content"]
    assert 'href="https://moot.test/move"' in oldest["content"]
    assert (oldest["starts_at"], oldest["ends_at"]) == (None, "2027-01-15T08:00:01.000Z")
    assert (oldest["all_day"], oldest["published"], oldest["read"]) == (False, True, False)
    clock.advance_ms(1_000)
    assert [one["id"] for one in (await client.get(PATH, headers=alice.headers)).json()] == [second]
    await people.system(lambda acting: actions.withdraw(acting, int(second)))
    assert (await client.get(PATH, headers=alice.headers)).json() == []


async def test_put_away_by_one(client: httpx.AsyncClient, people: People, alice: Person, bob: Person) -> None:
    id_ = await publish(people, "Hello")
    for _ in range(2):
        assert (await client.post(f"{PATH}/{id_}/dismiss", headers=alice.headers)).json() == {}
    assert (await client.get(PATH, headers=alice.headers)).json() == []
    every = await client.get(PATH, params={"with_dismissed": "true"}, headers=alice.headers)
    assert [one["read"] for one in every.json()] == [True]
    assert [one["read"] for one in (await client.get(PATH, headers=bob.headers)).json()] == [False]
    assert (await client.post(f"{PATH}/1/dismiss", headers=alice.headers)).status_code == 404


async def test_reactions(
    client: httpx.AsyncClient, people: People, clock: FakeClock, alice: Person, bob: Person
) -> None:
    id_ = await publish(people, "Hello")
    for who in (alice, alice, bob):
        assert (await client.put(f"{PATH}/{id_}/reactions/👍🏽", headers=who.headers)).json() == {}
    clock.advance_ms(1)
    assert (await client.put(f"{PATH}/{id_}/reactions/🏳️‍🌈", headers=bob.headers)).json() == {}
    (seen,) = (await client.get(PATH, headers=alice.headers)).json()
    assert [(one["name"], one["count"], one["me"]) for one in seen["reactions"]] == [
        ("👍🏽", 2, True),
        ("🏳️‍🌈", 1, False),
    ]
    assert (await client.delete(f"{PATH}/{id_}/reactions/👍🏽", headers=bob.headers)).json() == {}
    for name in ("hello", "a", "👍x", "%00"):
        assert (await client.put(f"{PATH}/{id_}/reactions/{name}", headers=alice.headers)).status_code == 422, name
    assert (await client.put(f"{PATH}/1/reactions/👍", headers=alice.headers)).status_code == 404
    answers = [await client.put(f"{PATH}/{id_}/reactions/{one}", headers=bob.headers) for one in "😀😁😂🤣😃😄😅"]
    assert [answer.status_code for answer in answers] == [200] * 6 + [422]


async def test_only_who_runs_the_server_announces(people: People, alice: Person) -> None:
    with pytest.raises(Refused):
        await people.act(alice.id, Action.POST, lambda acting: actions.withdraw(acting, 1))
    with pytest.raises(Refused):
        await publish(people, " ")
    with pytest.raises(Refused):
        await publish(people, "Over", 1)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("👍", True),
        ("❤️", True),
        ("1️⃣", True),
        ("🇩🇪", True),
        ("🏴󠁧󠁢󠁳󠁣󠁴󠁿", True),
        ("👩‍👩‍👧", True),
        ("1", False),
        ("", False),
        ("a", False),
        ("👍" * 17, False),
        ("<", False),
        ("é", False),
        ("\u200d", False),
    ],
)
def test_what_is_an_emoji(name: str, expected: bool) -> None:
    assert is_emoji(name) is expected
