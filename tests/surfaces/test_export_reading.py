"""One's own data holds how one reads."""

from typing import Any

import httpx
from tests.support.people import People
from tests.surfaces.conftest import Person
from tests.surfaces.mastodon.test_announcements import publish
from tests.surfaces.mastodon.test_lists import add, make
from tests.surfaces.mastodon.test_marks import say


async def test_lists_tags_filters_and_what_was_read(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person
) -> None:
    await people.follow(alice.id, bob.id)
    for title in ("Friends", "Others"):
        await add(client, alice, await make(client, alice, title), bob)
    said = await say(client, bob, "@alice hello", visibility="direct")
    announced = await publish(people, "Hello")
    body: dict[str, Any] = {"title": "t", "context": ["home"], "keywords_attributes": [{"keyword": "bird"}]}
    for path, sent in (
        ("/api/v1/tags/birds/follow", {}),
        ("/api/v2/filters", body),
        ("/api/v1/markers", {"home": {"last_read_id": "7"}}),
        (f"/api/v1/announcements/{announced}/dismiss", {}),
    ):
        assert (await client.post(path, json=sent, headers=alice.headers)).status_code == 200, path
    await client.put(f"/api/v1/announcements/{announced}/reactions/👍", headers=alice.headers)
    data = (await client.get("/api/folkmoot/v1/export", headers=alice.headers)).json()
    assert [(one["title"], [who["username"] for who in one["accounts"]]) for one in data["lists"]] == [
        ("Friends", ["bob"]),
        ("Others", ["bob"]),
    ]
    assert data["followed_tags"] == [{"name": "birds"}]
    assert [one["keyword"] for one in data["filters"][0]["keywords"]] == ["bird"]
    assert [(one["timeline"], one["last_read_id"]) for one in data["markers"]] == [("home", "7")]
    assert [(one["last_post"], one["unread"]) for one in data["conversations"]] == [(said["id"], True)]
    assert data["announcements"] == [
        {"announcement": announced, "dismissed": True},
        {"announcement": announced, "reaction": "👍"},
    ]
