"""Mastodon's API for hosts of other networks: shapes, scopes, the history, and that the rest of the server asks."""

import hashlib
from typing import Any

import httpx
import pytest
from tests.support.people import People
from tests.surfaces.conftest import Person

from folkmoot.gate import Kind, Role, Subject, subjects

BLOCKS = "/api/v1/admin/domain_blocks"
ALLOWS = "/api/v1/admin/domain_allows"


@pytest.fixture
async def keeper(people: People) -> Person:
    account_id = await people.create("keeper", Role.MODERATOR)
    return Person(account_id, "keeper", {"Authorization": f"Bearer {await people.token(account_id)}"})


async def block(client: httpx.AsyncClient, by: Person, **fields: Any) -> httpx.Response:
    return await client.post(BLOCKS, json=fields, headers=by.headers)


async def looked_up(client: httpx.AsyncClient, acct: str) -> str:
    answer = await client.get("/api/v1/accounts/lookup", params={"acct": acct})
    assert answer.status_code == 404
    return str(answer.json()["error"])


async def test_a_host_is_suspended_changed_and_lifted(
    client: httpx.AsyncClient, keeper: Person, people: People
) -> None:
    made = await block(
        client,
        keeper,
        domain="BÜCHER.example",
        severity="suspend",
        public_comment="spam",
        private_comment="by post",
    )
    assert made.status_code == 200, made.text
    said = made.json()
    assert said["digest"] == hashlib.sha256(b"xn--bcher-kva.example").hexdigest()
    assert {name: said[name] for name in ("domain", "severity", "public_comment", "private_comment")} == {
        "domain": "xn--bcher-kva.example",
        "severity": "suspend",
        "public_comment": "spam",
        "private_comment": "by post",
    }
    assert await looked_up(client, "ana@sub.bücher.example") == (
        "This server's moderators have suspended this host. Reason: spam"
    )
    changed = await client.put(f"{BLOCKS}/{said['id']}", json={"severity": "silence"}, headers=keeper.headers)
    assert (changed.json()["severity"], changed.json()["public_comment"]) == ("silence", "spam")
    assert await looked_up(client, "ana@sub.bücher.example") == "Record not found."
    (listed,) = (await client.get(BLOCKS, headers=keeper.headers)).json()
    assert listed == changed.json()
    assert (await client.get(f"{BLOCKS}/{said['id']}", headers=keeper.headers)).status_code == 404
    lifted = await client.delete(f"{BLOCKS}/{listed['id']}", headers=keeper.headers)
    assert (lifted.status_code, lifted.json()) == (200, {})
    assert (await client.get(BLOCKS, headers=keeper.headers)).json() == []
    async with people.gate.database.read() as read:
        history = await subjects.sanctions_about(read, Subject(Kind.HOST, "xn--bcher-kva.example"))
    assert [(one.standing.value, one.lifted_by) for one in history] == [
        ("limited", keeper.id),
        ("suspended", keeper.id),
    ]


async def test_one_name_is_let_in_below_another(client: httpx.AsyncClient, keeper: Person) -> None:
    await block(client, keeper, domain="bad.example", severity="suspend")
    allowed = await client.post(ALLOWS, json={"domain": "good.bad.example"}, headers=keeper.headers)
    assert set(allowed.json()) == {"id", "domain", "created_at"}
    assert await looked_up(client, "ana@good.bad.example") == "Record not found."
    assert "suspended this host" in await looked_up(client, "ana@bad.example")
    id_ = allowed.json()["id"]
    assert (await client.get(f"{ALLOWS}/{id_}", headers=keeper.headers)).json() == allowed.json()
    assert [one["id"] for one in (await client.get(ALLOWS, headers=keeper.headers)).json()] == [id_]
    assert (await client.delete(f"{BLOCKS}/{id_}", headers=keeper.headers)).status_code == 404
    await client.delete(f"{ALLOWS}/{id_}", headers=keeper.headers)
    assert "suspended this host" in await looked_up(client, "ana@good.bad.example")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "host_invalid"),
        ({"domain": "not a host"}, "host_invalid"),
        ({"domain": "moot.test"}, "own_host"),
        ({"domain": "bad.example", "severity": "noop"}, "not_supported"),
        ({"domain": "bad.example", "reject_media": True}, "not_supported"),
        ({"domain": "bad.example", "public_comment": "a" * 2001}, "public_comment_too_long"),
    ],
)
async def test_what_cannot_be_decided(
    client: httpx.AsyncClient, keeper: Person, fields: dict[str, Any], code: str
) -> None:
    answer = await block(client, keeper, **fields)
    assert answer.status_code == 422
    assert answer.json()["code"] == code


async def test_the_same_again_is_said(client: httpx.AsyncClient, keeper: Person) -> None:
    assert (await block(client, keeper, domain="bad.example")).json()["severity"] == "silence"
    again = await block(client, keeper, domain="Bad.Example")
    assert (again.status_code, again.json()["code"]) == (422, "decided_already")


@pytest.mark.parametrize("path", [BLOCKS, ALLOWS])
async def test_members_and_other_scopes_stay_out(
    client: httpx.AsyncClient, people: People, keeper: Person, bob: Person, path: str
) -> None:
    assert (await client.get(path, headers=bob.headers)).status_code == 403
    other = {"Authorization": f"Bearer {await people.token(keeper.id, 'admin:read:accounts')}"}
    assert (await client.get(path, headers=other)).status_code == 403
    scope = f"admin:read:{path.rpartition('/')[2]}"
    right = {"Authorization": f"Bearer {await people.token(keeper.id, scope)}"}
    assert (await client.get(path, headers=right)).status_code == 200
