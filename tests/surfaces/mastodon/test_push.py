"""Subscriptions to Web Push over HTTP."""

import httpx
import pytest
from tests.support.people import People
from tests.support.push_service import Browser
from tests.surfaces.conftest import Person

PATH = "/api/v1/push/subscription"
ENDPOINT = "https://push.example/send/1"


async def test_one_subscription_for_each_token(client: httpx.AsyncClient, people: People, alice: Person) -> None:
    keys = Browser().keys
    asked = {
        "subscription": {"endpoint": ENDPOINT, "keys": keys, "standard": True},
        "data": {"alerts": {"mention": True, "new.kind": True}, "policy": "followed"},
    }
    assert (await client.get(PATH, headers=alice.headers)).status_code == 404
    made = await client.post(PATH, json=asked, headers=alice.headers)
    assert made.status_code == 200, made.text
    said = made.json()
    assert (said["endpoint"], said["standard"], said["policy"]) == (ENDPOINT, True, "followed")
    assert {name for name, wanted in said["alerts"].items() if wanted} == {"mention"}
    assert (await client.get(PATH, headers=alice.headers)).json() == said
    other = {"Authorization": f"Bearer {await people.token(alice.id)}"}
    assert (await client.get(PATH, headers=other)).status_code == 404
    changed = await client.put(PATH, data={"data[alerts][favourite]": "true"}, headers=alice.headers)
    assert {name for name, wanted in changed.json()["alerts"].items() if wanted} == {"favourite"}
    assert (await client.delete(PATH, headers=alice.headers)).json() == {}
    assert (await client.get(PATH, headers=alice.headers)).status_code == 404


async def test_forms_say_the_same(client: httpx.AsyncClient, alice: Person) -> None:
    keys = Browser().keys
    form = {
        "subscription[endpoint]": ENDPOINT,
        "subscription[keys][p256dh]": keys["p256dh"],
        "subscription[keys][auth]": keys["auth"],
        "data[alerts][mention]": "1",
    }
    made = await client.post(PATH, data=form, headers=alice.headers)
    assert made.status_code == 200, made.text
    assert (made.json()["alerts"]["mention"], made.json()["standard"]) == (True, False)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"subscription": {"endpoint": ENDPOINT, "keys": {"p256dh": "AAAA", "auth": "AAAA"}}},
        {"subscription": {"endpoint": "gopher://push.example", "keys": Browser().keys}},
        {"subscription": {"endpoint": "https://" + "a" * 3_000, "keys": Browser().keys}},
    ],
)
async def test_what_is_no_subscription_is_refused(
    client: httpx.AsyncClient, alice: Person, wrong: dict[str, object]
) -> None:
    assert (await client.post(PATH, json=wrong, headers=alice.headers)).status_code == 422


async def test_a_token_needs_its_scope(client: httpx.AsyncClient, people: People, alice: Person) -> None:
    small = {"Authorization": f"Bearer {await people.token(alice.id, 'read write follow')}"}
    assert (await client.get(PATH, headers=small)).status_code == 403
