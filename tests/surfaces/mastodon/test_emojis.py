"""Custom emoji over HTTP: where they are named, and their pictures."""

import httpx
import pytest
from tests.support.people import People
from tests.surfaces.conftest import Person
from tests.surfaces.mastodon.test_marks import say

from folkmoot.posts.emojis import actions
from folkmoot.posts.emojis.model import Emoji
from folkmoot.posts.emojis.rules import shortcodes_in
from folkmoot.surfaces.services import Services

PATH = "/api/v1/custom_emojis"


async def add(services: Services, people: People, shortcode: str, *, moves: bool = False) -> None:
    id_ = services.database.ids.next()
    key, still = f"emojis/{id_}/original.webp", f"emojis/{id_}/small.png"
    for one in (key, still):
        await services.objects.put(one, one.encode(), "image/webp")
    new = Emoji(id_, shortcode, "birds", True, "image/webp", key, still if moves else key, len(key))
    await people.system(lambda acting: actions.add(acting, new))
    await services.site.emojis.read_anew(services.database)


async def test_where_they_are_named_they_are_given(
    client: httpx.AsyncClient, services: Services, people: People, alice: Person
) -> None:
    assert (await client.get(PATH)).json() == []
    await add(services, people, "owl")
    await add(services, people, "wren", moves=True)
    owl, wren = (await client.get(PATH)).json()
    assert (owl["shortcode"], owl["category"], owl["visible_in_picker"]) == ("owl", "birds", True)
    assert owl["url"] == owl["static_url"]
    poll = {"options": [":owl:", ":wren:"], "expires_in": 3600}
    said = await say(client, alice, "see :wren: and :none: and a:wren:", spoiler_text="by :owl:!", poll=poll)
    assert [one["shortcode"] for one in said["emojis"]] == ["owl", "wren"]
    assert [one["shortcode"] for one in said["poll"]["emojis"]] == ["owl", "wren"]
    named = {"display_name": "Alice :owl:"}
    await client.patch("/api/v1/accounts/update_credentials", json=named, headers=alice.headers)
    assert (await client.get(f"/api/v1/accounts/{alice.id}")).json()["emojis"] == [owl]
    for url, held in (
        (wren["url"], b"original.webp"),
        (wren["static_url"], b"small.png"),
        (owl["url"], b"original"),
    ):
        picture = await client.get(url)
        assert (picture.status_code, held in picture.content) == (200, True)
        assert "max-age" in picture.headers["cache-control"]
    await people.system(lambda acting: actions.remove(acting, "wren"))
    await services.site.emojis.read_anew(services.database)
    again = await client.get(f"/api/v1/statuses/{said['id']}")
    assert [one["shortcode"] for one in again.json()["emojis"]] == ["owl"]
    assert (await client.get(wren["url"])).status_code == 404


async def test_one_of_the_same_name_is_another(services: Services, people: People) -> None:
    for _ in range(2):
        await add(services, people, "owl")
    assert [one.shortcode for one in services.site.emojis] == ["owl"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (":ab:", ["ab"]),
        ("x:ab:", []),
        (":ab:y", []),
        ("(:ab:)", ["ab"]),
        (":ab::cd:", []),
        (":ab: :cd:", ["ab", "cd"]),
        (":a:", []),
        ("12:30:45", []),
        ("ß:ab:", []),
        (":ab:\n", ["ab"]),
        ("\u200b:ab:\u200b", ["ab"]),
        ("_:ab:", ["ab"]),
    ],
)
def test_where_a_shortcode_stands(text: str, named: list[str]) -> None:
    assert shortcodes_in(text) == named
