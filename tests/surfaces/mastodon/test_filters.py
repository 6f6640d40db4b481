"""Filters over HTTP: made, changed, and applied wherever a post is shown."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.support.telling import tell
from tests.surfaces.conftest import Person
from tests.surfaces.mastodon.test_marks import say

from folkmoot.surfaces.services import Services

V1, V2 = "/api/v1/filters", "/api/v2/filters"


async def make(client: httpx.AsyncClient, who: Person, *contexts: str, **fields: Any) -> dict[str, Any]:
    body = {"title": "Birds", "context": list(contexts or ["home"]), **fields}
    answer = await client.post(V2, json=body, headers=who.headers)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


def words(*keywords: str) -> list[dict[str, Any]]:
    return [{"keyword": keyword, "whole_word": True} for keyword in keywords]


async def test_made_changed_and_deleted(
    client: httpx.AsyncClient, clock: FakeClock, alice: Person, bob: Person
) -> None:
    form = {
        "title": "Birds", "context[]": ["home", "public"], "filter_action": "hide", "expires_in": "60",
        "keywords_attributes[][keyword]": "bird",
    }  # fmt: skip
    made = (await client.post(V2, data=form, headers=alice.headers)).json()
    assert made == {
        "id": made["id"],
        "title": "Birds",
        "context": ["home", "public"],
        "expires_at": "2027-01-15T08:01:00.000Z",
        "filter_action": "hide",
        "keywords": [{"id": made["keywords"][0]["id"], "keyword": "bird", "whole_word": True}],
        "statuses": [],
    }
    path, keyword_id = f"{V2}/{made['id']}", made["keywords"][0]["id"]
    body = {
        "expires_in": "", "filter_action": "blur", "context": ["thread"],
        "keywords_attributes": [{"id": keyword_id, "_destroy": True}, {"keyword": "fish", "whole_word": False}],
    }  # fmt: skip
    changed = (await client.put(path, json=body, headers=alice.headers)).json()
    assert (changed["expires_at"], changed["filter_action"], changed["context"]) == (None, "blur", ["thread"])
    assert [(one["keyword"], one["whole_word"]) for one in changed["keywords"]] == [("fish", False)]
    assert (await client.get(V2, headers=alice.headers)).json() == [changed]
    for method in ("GET", "PUT", "DELETE"):
        assert (await client.request(method, path, headers=bob.headers)).status_code == 404
    assert (await client.delete(path, headers=alice.headers)).json() == {}
    assert (await client.get(path, headers=alice.headers)).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": ""},
        {"context": []},
        {"context": ["nowhere"]},
        {"filter_action": "shout"},
        {"expires_in": -1},
        {"expires_in": "soon"},
        {"expires_in": 10**18},
        {"keywords_attributes": [{"keyword": ""}]},
        {"keywords_attributes": [{"keyword": "x" * 1000}]},
        {"keywords_attributes": "x"},
    ],
)
async def test_what_is_no_filter(client: httpx.AsyncClient, alice: Person, wrong: dict[str, Any]) -> None:
    body = {"title": "t", "context": ["home"], **wrong}
    answer = await client.post(V2, json=body, headers=alice.headers)
    assert (answer.status_code, "error" in answer.json()) == (422, True)
    assert (await client.get(V2, headers=alice.headers)).json() == []


async def test_keywords_and_posts_one_by_one(client: httpx.AsyncClient, alice: Person, bob: Person) -> None:
    path = f"{V2}/{(await make(client, alice))['id']}"
    keyword = (await client.post(f"{path}/keywords", data={"keyword": "bird"}, headers=alice.headers)).json()
    assert (keyword["keyword"], keyword["whole_word"]) == ("bird", True)
    one = f"{V2}/keywords/{keyword['id']}"
    changed = (await client.put(one, json={"whole_word": False}, headers=alice.headers)).json()
    assert changed == {**keyword, "whole_word": False} == (await client.get(one, headers=alice.headers)).json()
    assert (await client.get(f"{path}/keywords", headers=alice.headers)).json() == [changed]
    said = await say(client, bob, "hello")
    secret = await say(client, bob, "secret", visibility="private")
    entry = (await client.post(f"{path}/statuses", json={"status_id": said["id"]}, headers=alice.headers)).json()
    assert entry == {"id": entry["id"], "status_id": said["id"]}
    again = await client.post(f"{path}/statuses", json={"status_id": said["id"]}, headers=alice.headers)
    assert again.json() == entry
    unseen = await client.post(f"{path}/statuses", json={"status_id": secret["id"]}, headers=alice.headers)
    assert unseen.status_code == 404
    two = f"{V2}/statuses/{entry['id']}"
    assert (await client.get(two, headers=alice.headers)).json() == entry
    assert (await client.get(f"{path}/statuses", headers=alice.headers)).json() == [entry]
    for address in (one, two):
        assert (await client.get(address, headers=bob.headers)).status_code == 404
        assert (await client.delete(address, headers=bob.headers)).status_code == 404
        assert (await client.delete(address, headers=alice.headers)).json() == {}
        assert (await client.get(address, headers=alice.headers)).status_code == 404


async def test_the_first_version_is_a_view_of_the_same(client: httpx.AsyncClient, alice: Person) -> None:
    body = {"phrase": "bird", "context": ["home"], "irreversible": True, "whole_word": True, "expires_in": 60}
    made = (await client.post(V1, json=body, headers=alice.headers)).json()
    assert made == {
        "id": made["id"], "phrase": "bird", "context": ["home"], "whole_word": True,
        "expires_at": "2027-01-15T08:01:00.000Z", "irreversible": True,
    }  # fmt: skip
    (whole,) = (await client.get(V2, headers=alice.headers)).json()
    assert (whole["title"], whole["filter_action"], whole["keywords"][0]["id"]) == ("bird", "hide", made["id"])
    changed = await client.put(f"{V1}/{made['id']}", json={"phrase": "fish"}, headers=alice.headers)
    assert (
        changed.json()
        == {**made, "phrase": "fish"}
        == (await client.get(f"{V1}/{made['id']}", headers=alice.headers)).json()
    )
    more = {"keyword": "more"}
    await client.post(f"{V2}/{whole['id']}/keywords", json=more, headers=alice.headers)
    assert len((await client.get(V1, headers=alice.headers)).json()) == 2
    other = await client.put(f"{V1}/{made['id']}", json={"context": ["public"]}, headers=alice.headers)
    assert other.status_code == 422
    for one in (await client.get(V1, headers=alice.headers)).json():
        assert (await client.delete(f"{V1}/{one['id']}", headers=alice.headers)).json() == {}
    assert (await client.get(V2, headers=alice.headers)).json() == []


async def test_what_a_filter_finds_is_said_wherever_it_is_for(
    client: httpx.AsyncClient, people: People, clock: FakeClock, alice: Person, bob: Person
) -> None:
    await people.follow(alice.id, bob.id)
    said = await say(client, bob, "look", spoiler_text="A Bird!")
    reply = await say(client, bob, "a bird too", in_reply_to_id=said["id"])
    boost = (await client.post(f"/api/v1/statuses/{said['id']}/reblog", headers=bob.headers)).json()
    made = await make(client, alice, keywords_attributes=words("bird"), expires_in=60)
    places = {
        "home": "/api/v1/timelines/home",
        "public": "/api/v1/timelines/public",
        "account": f"/api/v1/accounts/{bob.id}/statuses",
        "thread": f"/api/v1/statuses/{reply['id']}/context",
    }

    async def shown(place: str, who: Person = alice) -> list[Any]:
        body = (await client.get(places[place], headers=who.headers)).json()
        return [one["filtered"] for one in (body["ancestors"] if place == "thread" else body)]

    for context in places:
        await client.put(f"{V2}/{made['id']}", json={"context": [context]}, headers=alice.headers)
        for place in places:
            found = await shown(place)
            assert found
            assert all(bool(filtered) == (place == context) for filtered in found), (context, place)
        assert not any(await shown(context, bob))
    (filtered,) = (await client.get(f"/api/v1/statuses/{boost['id']}", headers=alice.headers)).json()["filtered"]
    assert filtered["keyword_matches"] == ["bird"]
    assert filtered["status_matches"] is None
    assert set(filtered["filter"]) == {"id", "title", "context", "expires_at", "filter_action"}
    clock.advance_ms(60_000)
    assert not any(await shown("thread"))


async def test_a_post_can_be_filtered_by_name(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person
) -> None:
    await people.follow(alice.id, bob.id)
    said = await say(client, bob, "hello")
    await client.post(f"/api/v1/statuses/{said['id']}/reblog", headers=bob.headers)
    made = await make(client, alice)
    body = {"status_id": said["id"]}
    await client.post(f"{V2}/{made['id']}/statuses", json=body, headers=alice.headers)
    home = (await client.get("/api/v1/timelines/home", headers=alice.headers)).json()
    assert [one["filtered"][0]["status_matches"] for one in home] == [[said["id"]]] * 2


async def test_options_and_descriptions_are_words_too(
    client: httpx.AsyncClient, alice: Person, bob: Person
) -> None:
    poll = {"options": ["A bird", "A fish"], "expires_in": 3600}
    said = await say(client, bob, "which?", poll=poll)
    await make(client, alice, keywords_attributes=words("fish"))
    shown = (await client.get(f"/api/v1/statuses/{said['id']}", headers=alice.headers)).json()
    assert shown["filtered"][0]["keyword_matches"] == ["fish"]


async def test_notifications_say_it_of_their_posts(
    client: httpx.AsyncClient, services: Services, people: People, tmp_path: Path, alice: Person, bob: Person
) -> None:
    await people.follow(alice.id, bob.id)
    await say(client, bob, "@alice a bird")
    await make(client, alice, "notifications", keywords_attributes=words("bird"))
    await tell(services.database, tmp_path / "doorbells")
    told = (await client.get("/api/v1/notifications", headers=alice.headers)).json()
    (one,) = [one for one in told if one["type"] == "mention"]
    assert one["status"]["filtered"][0]["keyword_matches"] == ["bird"]
    groups = (await client.get("/api/v2/notifications", headers=alice.headers)).json()
    assert groups["statuses"][0]["filtered"] == one["status"]["filtered"]
    (home,) = (await client.get("/api/v1/timelines/home", headers=alice.headers)).json()
    assert home["filtered"] == []


async def test_words_are_not_looked_for_without_end(
    client: httpx.AsyncClient, alice: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("folkmoot.timelines.filters.rules.KEYWORDS_MAX", 3)
    await make(client, alice, keywords_attributes=words("one", "two", "three"))
    body = {"title": "t", "context": ["home"], "keywords_attributes": words("one more")}
    assert (await client.post(V2, json=body, headers=alice.headers)).status_code == 422
