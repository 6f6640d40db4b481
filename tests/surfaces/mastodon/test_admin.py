"""Mastodon's API for moderators: shapes, scopes, pages; what a decision does, and to whom it is open."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.surfaces.conftest import Person

from folkmoot.accounts.deletion import of_account
from folkmoot.gate import Acting, Permit, Role, Standing, Surface
from folkmoot.moderation.members.actions import change_role
from folkmoot.surfaces.services import Services

ACCOUNTS = "/api/v1/admin/accounts"
REPORTS = "/api/v1/admin/reports"
DAY_MS = 86_400_000


@pytest.fixture
async def keeper(people: People) -> Person:
    account_id = await people.create("keeper", Role.MODERATOR)
    return Person(account_id, "keeper", {"Authorization": f"Bearer {await people.token(account_id)}"})


@pytest.fixture
async def owner(people: People) -> Person:
    account_id = await people.create("owner", Role.OWNER)
    return Person(account_id, "owner", {"Authorization": f"Bearer {await people.token(account_id)}"})


async def report(client: httpx.AsyncClient, by: Person, about: Person, **fields: Any) -> str:
    answer = await client.post("/api/v1/reports", json={"account_id": about.id, **fields}, headers=by.headers)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


async def decide(client: httpx.AsyncClient, by: Person, about: Person, kind: str, **fields: Any) -> httpx.Response:
    return await client.post(f"{ACCOUNTS}/{about.id}/action", json={"type": kind, **fields}, headers=by.headers)


async def shown(client: httpx.AsyncClient, by: Person, about: Person) -> dict[str, Any]:
    answer = await client.get(f"{ACCOUNTS}/{about.id}", headers=by.headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_an_account_in_mastodons_shape(
    client: httpx.AsyncClient, people: People, keeper: Person, bob: Person
) -> None:
    said = await shown(client, keeper, bob)
    account, ours = said.pop("account"), said.pop("folkmoot")
    assert account["username"] == "bob"
    assert said.pop("created_at") == account["created_at"]
    role = {"id": "1", "name": "", "color": "", "permissions": "0", "highlighted": False}
    flags = {"disabled": False, "silenced": False, "suspended": False, "sensitized": False}
    assert said == {
        "id": str(bob.id), "username": "bob", "domain": None, "email": None, "ip": None, "ips": [], "locale": None,
        "invite_request": None, "role": role, "confirmed": True, "approved": True, **flags,
    }  # fmt: skip
    assert (ours["standing"], ours["reason"], ours["until"]) == ("active", "", None)
    assert ours["details"]["sessions_count"] == 1
    own = await client.get("/api/v1/accounts/verify_credentials", headers=keeper.headers)
    assert own.json()["role"]["permissions"] == "1040", "clients show their pages for moderators by this"


async def test_suspend_with_reason_and_end_and_lift(
    client: httpx.AsyncClient, keeper: Person, alice: Person, bob: Person, clock: FakeClock
) -> None:
    made = await report(client, alice, bob, comment="look")
    until = "2100-01-31T12:00:00.000Z"
    answer = await decide(client, keeper, bob, "suspend", text="rule 3", until=until, report_id=made)
    assert (answer.status_code, answer.json()) == (200, {})
    said = await shown(client, keeper, bob)
    assert said["suspended"]
    assert (said["folkmoot"]["reason"], said["folkmoot"]["until"]) == ("rule 3", until)
    assert (await client.get("/api/v1/accounts/verify_credentials", headers=bob.headers)).status_code == 401
    assert (await client.get(f"/api/v1/accounts/{bob.id}", headers=alice.headers)).status_code == 404
    (closed,) = (await client.get(f"{REPORTS}?resolved=true", headers=keeper.headers)).json()
    assert (closed["id"], closed["folkmoot"]["resolution"]) == (made, "suspended")
    assert closed["action_taken_by_account"]["username"] == "keeper"
    lifted = await client.post(f"{ACCOUNTS}/{bob.id}/unsuspend", headers=keeper.headers)
    assert not lifted.json()["suspended"]
    (past,) = lifted.json()["folkmoot"]["details"]["sanctions"]
    assert (past["decided_by"], past["lifted_by"], past["standing"]) == ("keeper", "keeper", "suspended")
    assert (await client.get(f"/api/v1/accounts/{bob.id}", headers=alice.headers)).status_code == 200


@pytest.mark.parametrize(
    ("kind", "flag", "undo"),
    [
        ("silence", "silenced", "unsilence"),
        ("suspend", "suspended", "unsuspend"),
        ("disable", "disabled", "enable"),
    ],
)
async def test_every_kind_can_be_undone_and_only_by_its_own_word(
    client: httpx.AsyncClient, keeper: Person, bob: Person, kind: str, flag: str, undo: str
) -> None:
    assert (await decide(client, keeper, bob, kind, text="rule 3")).status_code == 200
    said = await shown(client, keeper, bob)
    assert [name for name in ("disabled", "silenced", "suspended") if said[name]] == [flag]
    for word in ("unsilence", "unsuspend", "enable", "approve"):
        if word != undo:
            refused = await client.post(f"{ACCOUNTS}/{bob.id}/{word}", headers=keeper.headers)
            assert refused.status_code == 422, word
    assert not (await client.post(f"{ACCOUNTS}/{bob.id}/{undo}", headers=keeper.headers)).json()[flag]


@pytest.mark.parametrize(
    "body",
    [
        {"type": "suspend"},
        {"type": "suspend", "text": "x", "until": "tomorrow"},
        {"type": "suspend", "text": "x", "until": "2001-01-01T00:00:00Z"},
        {"type": "disable", "text": "x", "until": "2100-01-01T00:00:00Z"},
        {"type": "sensitive", "text": "x"},
        {"type": "none", "text": "a warning"},
        {"type": "delete", "text": "x"},
    ],
    ids=str,
)
async def test_what_is_no_decision_is_refused_with_a_sentence(
    client: httpx.AsyncClient, keeper: Person, bob: Person, body: dict[str, Any]
) -> None:
    answer = await client.post(f"{ACCOUNTS}/{bob.id}/action", json=body, headers=keeper.headers)
    assert answer.status_code == 422, answer.text
    assert answer.json()["error"]
    assert (await shown(client, keeper, bob))["folkmoot"]["standing"] == "active"


async def test_none_closes_the_report_and_leaves_the_account(
    client: httpx.AsyncClient, keeper: Person, alice: Person, bob: Person
) -> None:
    made, other = await report(client, alice, bob), await report(client, keeper, bob)
    assert (await decide(client, keeper, bob, "none", report_id=made)).status_code == 200
    (left,) = (await client.get(REPORTS, headers=keeper.headers)).json()
    assert left["id"] == other
    assert (await shown(client, keeper, bob))["folkmoot"]["standing"] == "active"


async def test_a_moderator_decides_about_members_only(
    client: httpx.AsyncClient, people: People, keeper: Person, owner: Person
) -> None:
    other = Person(await people.create("other", Role.MODERATOR), "other", {})
    for above in (other, owner, keeper):
        answer = await decide(client, keeper, above, "suspend", text="rule 3")
        assert answer.status_code in (403, 422), above
        assert (await shown(client, owner, above))["folkmoot"]["standing"] == "active"
    assert (await decide(client, owner, other, "suspend", text="rule 3")).status_code == 200


async def test_who_waits_is_let_in_or_not(client: httpx.AsyncClient, people: People, keeper: Person) -> None:
    ids = [await people.create(name) for name in ("ana", "bela")]
    for account_id in ids:
        await people.put(account_id, Standing.AWAITING_APPROVAL)
    waiting = (await client.get(f"{ACCOUNTS}?pending=true", headers=keeper.headers)).json()
    assert {(one["username"], one["approved"]) for one in waiting} == {("ana", False), ("bela", False)}
    assert waiting[0]["invite_request"].startswith("a test")
    assert (await client.post(f"{ACCOUNTS}/{ids[0]}/approve", headers=keeper.headers)).json()["approved"]
    rejected = await client.post(f"{ACCOUNTS}/{ids[1]}/reject", headers=keeper.headers)
    assert (rejected.status_code, rejected.json()["username"]) == (200, "bela")
    assert (await client.get(f"{ACCOUNTS}/{ids[1]}", headers=keeper.headers)).status_code == 404


@pytest.mark.parametrize("path", [ACCOUNTS, "/api/v2/admin/accounts"])
async def test_accounts_come_in_pages(client: httpx.AsyncClient, people: People, keeper: Person, path: str) -> None:
    names = [f"person{number}" for number in range(5)]
    for name in names:
        await people.create(name)
    seen: list[str] = []
    address: str | None = f"{path}?limit=2&username=person"
    while address is not None:
        answer = await client.get(address, headers=keeper.headers)
        seen += [one["username"] for one in answer.json()]
        address = answer.links["next"]["url"] if "next" in answer.links else None
    assert seen == names[::-1]


async def test_accounts_are_found_by_the_words_of_both_versions(
    client: httpx.AsyncClient, people: People, keeper: Person, bob: Person
) -> None:
    await people.put(bob.id, Standing.SUSPENDED)
    for query in ("suspended=true", "status=suspended", "q=@BO", "username=bob", "display_name=&q=bob"):
        found = (await client.get(f"{ACCOUNTS}?{query}", headers=keeper.headers)).json()
        assert [one["username"] for one in found] == ["bob"], query
    for query in ("staff=true", "permissions=staff"):
        found = (await client.get(f"{ACCOUNTS}?{query}", headers=keeper.headers)).json()
        assert [one["username"] for one in found] == ["keeper"], query
    assert (await client.get(f"{ACCOUNTS}?status=gone", headers=keeper.headers)).status_code == 422


async def test_a_report_as_moderators_see_it(
    client: httpx.AsyncClient, keeper: Person, alice: Person, bob: Person
) -> None:
    body = {"status": "for my followers", "visibility": "private"}
    await client.post(f"/api/v1/accounts/{bob.id}/follow", headers=alice.headers)
    post = (await client.post("/api/v1/statuses", json=body, headers=bob.headers)).json()["id"]
    made = await report(client, alice, bob, status_ids=[post], category="violation", comment="look")
    said = (await client.get(f"{REPORTS}/{made}", headers=keeper.headers)).json()
    assert (said["account"]["username"], said["target_account"]["username"]) == ("alice", "bob")
    assert (said["category"], said["comment"], said["action_taken"]) == ("violation", "look", False)
    assert "for my followers" in said["statuses"][0]["content"], "what was reported is what they judge"
    taken = await client.post(f"{REPORTS}/{made}/assign_to_self", headers=keeper.headers)
    assert taken.json()["assigned_account"]["username"] == "keeper"
    assert (await client.post(f"{REPORTS}/{made}/unassign", headers=keeper.headers)).json()[
        "assigned_account"
    ] is None
    closed = (await client.post(f"{REPORTS}/{made}/resolve", headers=keeper.headers)).json()
    assert (closed["action_taken"], closed["folkmoot"]["resolution"]) == (True, "nothing")
    again = (await client.post(f"{REPORTS}/{made}/reopen", headers=keeper.headers)).json()
    assert (again["action_taken"], again["action_taken_at"]) == (False, None)
    for query, count in ((f"account_id={alice.id}", 1), (f"target_account_id={alice.id}", 0)):
        assert len((await client.get(f"{REPORTS}?{query}", headers=keeper.headers)).json()) == count
    assert (await client.get(f"{REPORTS}/404", headers=keeper.headers)).status_code == 404


def admin_surfaces(surfaces: list[Surface]) -> list[Surface]:
    return [one for one in surfaces if "/admin/" in one.name]


async def test_a_scope_opens_what_it_names_and_members_open_nothing(
    client: httpx.AsyncClient, people: People, surfaces: list[Surface], keeper: Person, alice: Person
) -> None:
    found = admin_surfaces(surfaces)
    assert len(found) == 47
    scopes = ("read write follow push", *sorted({one.scope for one in found}))
    assert len(scopes) == 16
    shows = {scope: {"Authorization": f"Bearer {await people.token(keeper.id, scope)}"} for scope in scopes}
    for one in found:
        method, _, path = one.name.partition(" ")
        address = path.format(account_id="1", report_id="1", block_id="1", allow_id="1")
        opened = {
            scope
            for scope, headers in shows.items()
            if (await client.request(method, address, headers=headers)).status_code != 403
        }
        # Numbers are of everything: no narrower scope opens them, and theirs opens all that there is to read.
        wider = {"admin:read"} if one.scope.startswith("admin:read") else set()
        assert opened == {one.scope} | wider, one.name
        assert (await client.request(method, address, headers=alice.headers)).status_code == 403
        assert (await client.request(method, address)).status_code == 401


async def test_a_moderator_who_is_one_no_more_moderates_no_more(
    client: httpx.AsyncClient, people: People, keeper: Person, owner: Person, bob: Person
) -> None:
    await people.system(lambda acting: change_role(acting, keeper.id, Role.MEMBER))
    assert (await decide(client, keeper, bob, "suspend", text="rule 3")).status_code == 401
    anew = Person(keeper.id, "keeper", {"Authorization": f"Bearer {await people.token(keeper.id)}"})
    assert (await decide(client, anew, bob, "suspend", text="rule 3")).status_code == 403
    await people.system(lambda acting: change_role(acting, keeper.id, Role.MODERATOR))
    anew = Person(keeper.id, "keeper", {"Authorization": f"Bearer {await people.token(keeper.id)}"})
    await decide(client, owner, keeper, "suspend", text="rule 3")
    assert (await client.get(REPORTS, headers=anew.headers)).status_code == 401


async def test_a_report_is_put_into_the_category_that_it_is_of(
    client: httpx.AsyncClient, keeper: Person, alice: Person, bob: Person
) -> None:
    path = f"{REPORTS}/{await report(client, alice, bob, category='spam')}"
    legal = {"category": "legal"}
    as_a_form = await client.put(path, data=legal, headers=keeper.headers)
    assert (as_a_form.status_code, as_a_form.json()["category"]) == (200, "legal")
    assert (await client.put(path, json=legal, headers=keeper.headers)).json()["category"] == "legal"
    assert (await client.put(path, headers=keeper.headers)).json()["category"] == "legal"
    for wrong in ({"category": "boring"}, {"rule_ids": ["1"]}):
        assert (await client.put(path, json=wrong, headers=keeper.headers)).status_code == 422
    assert (await client.put(path, json={}, headers=alice.headers)).status_code == 403
    assert (await client.put(f"{REPORTS}/1", json={"category": "legal"}, headers=keeper.headers)).status_code == 404


async def test_only_an_owner_deletes_and_only_who_is_suspended(
    client: httpx.AsyncClient, keeper: Person, owner: Person, bob: Person, people: People
) -> None:
    path = f"{ACCOUNTS}/{bob.id}"
    early = await client.delete(path, headers=owner.headers)
    assert (early.status_code, early.json()["code"]) == (403, "not_suspended")
    await people.put(bob.id, Standing.SUSPENDED)
    refused = await client.delete(path, headers=keeper.headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_an_owner")
    assert (await client.delete(f"{ACCOUNTS}/{owner.id}", headers=owner.headers)).status_code == 422
    assert (await client.delete(f"{ACCOUNTS}/1", headers=owner.headers)).status_code == 404
    gone = await client.delete(path, headers=owner.headers)
    assert (gone.status_code, gone.json()["suspended"]) == (200, True)
    async with people.gate.database.read() as read:
        deletion = await of_account(read, bob.id)
    assert deletion is not None
    assert deletion.due_at_ms == deletion.asked_at_ms
    assert (await client.delete(path, headers=owner.headers)).status_code in (403, 404, 422)


async def test_who_was_let_back_in_meanwhile_is_not_deleted(
    client: httpx.AsyncClient,
    services: Services,
    owner: Person,
    bob: Person,
    people: People,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await people.put(bob.id, Standing.SUSPENDED)
    act = services.gate.act

    async def lifted_before(permit: Permit, work: Callable[[Acting], Awaitable[Any]]) -> Any:
        if permit.viewer.account_id is None:
            monkeypatch.undo()
            await people.put(bob.id, Standing.ACTIVE)
        return await act(permit, work)

    monkeypatch.setattr(services.gate, "act", lifted_before)
    refused = await client.delete(f"{ACCOUNTS}/{bob.id}", headers=owner.headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_suspended")


async def test_what_no_account_is_can_be_lifted_without_harm(
    client: httpx.AsyncClient, keeper: Person, bob: Person
) -> None:
    answer = await client.post(f"{ACCOUNTS}/{bob.id}/unsensitive", headers=keeper.headers)
    assert (answer.status_code, answer.json()["sensitized"]) == (200, False)
    assert (await decide(client, keeper, bob, "sensitive")).status_code == 422


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("local=true", {"keeper", "bob"}),
        ("remote=true", set()),
        ("origin=remote", set()),
        ("by_domain=else.where", set()),
        ("ip=127.0.0.1", set()),
        ("sensitized=true", set()),
        ("role_ids[]=2&role_ids[]=3", {"keeper"}),
        ("invited_by=1", set()),
    ],
)
async def test_a_filter_is_kept_to_or_finds_nobody(
    client: httpx.AsyncClient, keeper: Person, bob: Person, query: str, found: set[str]
) -> None:
    answer = await client.get(f"/api/v2/admin/accounts?{query}", headers=keeper.headers)
    assert {one["username"] for one in answer.json()} == found


async def test_owners_make_moderators_and_the_last_owner_stays(
    client: httpx.AsyncClient, keeper: Person, owner: Person, bob: Person
) -> None:
    async def give(by: Person, about: Person, role: str) -> tuple[int, str]:
        path = f"/api/folkmoot/v1/moderation/accounts/{about.id}/role"
        answer = await client.put(path, json={"role": role}, headers=by.headers)
        return answer.status_code, "" if answer.status_code == 204 else str(answer.json()["code"])

    assert await give(keeper, bob, "moderator") == (403, "not_an_owner")
    assert await give(keeper, keeper, "owner") == (403, "not_an_owner")
    assert await give(bob, bob, "owner") == (403, "not_a_moderator")
    assert await give(owner, bob, "moderator") == (204, "")
    assert (await shown(client, keeper, bob))["role"]["name"] == "Moderator"
    assert await give(owner, owner, "member") == (422, "last_owner")
    assert await give(owner, keeper, "owner") == (204, "")
    assert await give(keeper, owner, "moderator") == (204, "")
    assert (await client.get(ACCOUNTS, headers=owner.headers)).status_code == 401, "what an owner signed in with"
    assert await give(keeper, bob, "member") == (204, "")
    assert (await client.get(ACCOUNTS, headers=bob.headers)).status_code == 401
