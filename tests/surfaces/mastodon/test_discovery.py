"""How people find each other, as Mastodon clients ask for it."""

import httpx
import pytest
from tests.support.people import People
from tests.surfaces.conftest import SITE, Person

from folkmoot.gate import Standing
from folkmoot.surfaces.mastodon.discovery import name_in

ACCOUNTS = "/api/v1/accounts"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("bob", None),
        ("@bob", None),
        ("@bob@MOOT.test", "bob"),
        ("bob@elsewhere.test", ""),
        ("http://moot.test/@bob/", "bob"),
        ("http://moot.test/users/bob", "bob"),
        ("https://elsewhere.test/@bob", ""),
        ("", None),
    ],
)
def test_whom_an_address_means(text: str, name: str | None) -> None:
    assert name_in(text, SITE) == name


async def usernames(client: httpx.AsyncClient, who: Person, path: str) -> list[str]:
    answer = await client.get(path, headers=who.headers)
    assert answer.status_code == 200, answer.text
    return [one["username"] for one in answer.json()]


async def test_searching(client: httpx.AsyncClient, people: People, alice: Person, bob: Person) -> None:
    bobby = await people.create("Bobby")
    search = f"{ACCOUNTS}/search?q="
    assert await usernames(client, alice, f"{search}bob") == ["bob", "Bobby"]
    assert await usernames(client, alice, f"{search}bob&limit=1&offset=1") == ["Bobby"]
    assert await usernames(client, alice, f"{search}@bobby@moot.test&resolve=true") == ["Bobby"]
    assert await usernames(client, alice, f"{search}bob@elsewhere.test&resolve=true") == []
    assert await usernames(client, alice, f"{search}bob&following=true") == []
    for nothing in ("", "%00", "x%00", "%25"):
        assert await usernames(client, alice, f"{search}{nothing}") == []
    await people.put(bobby, Standing.SUSPENDED)
    await people.block(bob.id, alice.id)
    assert await usernames(client, alice, f"{search}bob") == []
    assert (await client.get(f"{search}bob")).status_code == 401
    for wrong in ("limit=x", "offset=-1", "offset=10001"):
        assert (await client.get(f"{search}bob&{wrong}", headers=alice.headers)).status_code == 422


async def test_several_at_once(client: httpx.AsyncClient, people: People, alice: Person, bob: Person) -> None:
    path = f"{ACCOUNTS}?id[]={bob.id}&id[]=77&id[]=x&id[]={alice.id}&id[]={bob.id}"
    assert await usernames(client, alice, path) == ["bob", "alice"]
    assert (await client.get(f"{ACCOUNTS}/{bob.id}/identity_proofs")).json() == []


async def test_suggestions(client: httpx.AsyncClient, people: People, alice: Person, bob: Person) -> None:
    carol = await people.create("carol")
    await people.follow(alice.id, bob.id)
    await people.follow(bob.id, carol)
    (found,) = (await client.get("/api/v2/suggestions", headers=alice.headers)).json()
    assert found["sources"] == ["friends_of_friends", "most_followed"]
    assert (found["source"], found["account"]["username"]) == ("past_interactions", "carol")
    assert await usernames(client, alice, "/api/v1/suggestions") == ["carol"]
    for hidden, sources in ((True, ["most_followed"]), (False, ["friends_of_friends", "most_followed"])):
        body = {"hide_collections": hidden}
        await client.patch(f"{ACCOUNTS}/update_credentials", json=body, headers=bob.headers)
        (found,) = (await client.get("/api/v2/suggestions", headers=alice.headers)).json()
        assert found["sources"] == sources
    await people.put(carol, Standing.LIMITED)
    assert await usernames(client, alice, "/api/v1/suggestions") == []
    await people.put(carol, Standing.ACTIVE)
    for whom in (carol, 12345):
        gone = await client.delete(f"/api/v1/suggestions/{whom}", headers=alice.headers)
        assert (gone.status_code, gone.json()) == (200, {})
    assert (await client.get("/api/v2/suggestions", headers=alice.headers)).json() == []


async def test_the_directory(client: httpx.AsyncClient, people: People, alice: Person, bob: Person) -> None:
    directory = "/api/v1/directory?order=new"
    assert await usernames(client, alice, directory) == ["bob", "alice"]
    assert [one["username"] for one in (await client.get(f"{directory}&limit=1&offset=1")).json()] == ["alice"]
    await client.post(f"{ACCOUNTS}/{bob.id}/mute", headers=alice.headers)
    assert await usernames(client, alice, directory) == ["alice"]
    await people.put(bob.id, Standing.LIMITED)
    assert [one["username"] for one in (await client.get(directory)).json()] == ["alice"]
    assert (await client.get("/api/v1/directory")).json() == []  # nobody has posted
    assert (await client.get("/api/v1/directory?order=old")).status_code == 422


async def test_familiar_followers(client: httpx.AsyncClient, people: People, alice: Person, bob: Person) -> None:
    carol = await people.create("carol")
    await people.follow(alice.id, bob.id)
    await people.follow(bob.id, carol)
    path = f"{ACCOUNTS}/familiar_followers?id[]={carol}&id[]={bob.id}&id[]=77"
    first, second = (await client.get(path, headers=alice.headers)).json()
    assert (first["id"], [one["username"] for one in first["accounts"]]) == (str(carol), ["bob"])
    assert second == {"id": str(bob.id), "accounts": []}
