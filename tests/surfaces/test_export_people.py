"""What one decided about others is in one's own data."""

import httpx
from tests.support.people import People
from tests.surfaces.conftest import Person

ACCOUNTS = "/api/v1/accounts"


async def test_what_one_decided_about_others(
    client: httpx.AsyncClient, people: People, alice: Person, bob: Person
) -> None:
    carol = await people.create("carol")
    dora = await people.create("dora")
    await client.patch(f"{ACCOUNTS}/update_credentials", headers=bob.headers, json={"locked": True})
    for path, body in (
        (f"{ACCOUNTS}/{bob.id}/follow", {"notify": True}),
        (f"{ACCOUNTS}/{carol}/follow", {"reblogs": False, "languages": ["de"]}),
        (f"{ACCOUNTS}/{carol}/endorse", {}),
        (f"{ACCOUNTS}/{carol}/mute", {"duration": 60}),
        (f"{ACCOUNTS}/{carol}/note", {"comment": "from Graz"}),
        (f"{ACCOUNTS}/{dora}/block", {}),
        ("/api/v1/domain_blocks", {"domain": "elsewhere.test"}),
    ):
        assert (await client.post(path, headers=alice.headers, json=body)).status_code == 200
    fields = [{"name": "Web", "value": "https://a.test"}]
    profile = {"fields_attributes": fields, "source": {"privacy": "unlisted"}}
    await client.patch(f"{ACCOUNTS}/update_credentials", headers=alice.headers, json=profile)
    await client.delete(f"/api/v1/suggestions/{bob.id}", headers=alice.headers)

    client.cookies["folkmoot_session"] = await people.token(alice.id)
    own = (await client.get("/api/folkmoot/v1/export")).json()
    of_bob, of_carol = ({"id": str(bob.id), "username": "bob"}, {"id": str(carol), "username": "carol"})
    assert own["following"] == [of_carol | {"reblogs": False, "notify": False, "languages": ["de"]}]
    assert own["follow_requests_made"] == [of_bob | {"reblogs": True, "notify": True, "languages": None}]
    assert own["mutes"] == [of_carol | {"until": "2027-01-15T08:01:00.000Z"}]
    assert own["blocks"] == [{"id": str(dora), "username": None}]
    assert (own["domain_blocks"], own["endorsements"]) == ([{"domain": "elsewhere.test"}], [of_carol])
    assert own["notes_about_others"] == [of_carol | {"note": "from Graz"}]
    assert own["dismissed_suggestions"] == [of_bob]
    assert own["profile"]["fields"] == fields
    assert own["profile"]["posting_defaults"]["privacy"] == "unlisted"
    client.cookies["folkmoot_session"] = await people.token(bob.id)
    others = (await client.get("/api/folkmoot/v1/export")).json()
    assert (others["profile"]["locked"], others["follow_requests"]) == (
        True,
        [{"id": str(alice.id), "username": "alice"}],
    )
