"""Bad input to Spaces, replays and clips, on both databases: each a clear error in Mastodon's form."""

from typing import Any

import httpx
import pytest
from tests.surfaces.conftest import Person
from tests.surfaces.spaces.conftest import RECORDED_MS, SPACES, Hall

CLIPS = "/api/folkmoot/v1/clips"
BEYOND = 2**63


def code_of(answer: httpx.Response, *statuses: int) -> str:
    """The stable code of an error that also says a sentence."""
    assert answer.status_code in statuses, (answer.status_code, answer.text[:300])
    assert len(answer.json()["error"].split()) >= 2
    return str(answer.json()["code"])


@pytest.mark.parametrize("is_live", [True, False])
async def test_ranges_beyond_the_recording(
    hall: Hall, alice: Person, client: httpx.AsyncClient, is_live: bool
) -> None:
    at = f"{SPACES}/{await (hall.live(alice) if is_live else hall.ended(alice))}"

    async def status(path: str, **query: int | str) -> int:
        answer = await client.get(f"{at}/{path}", params=query)
        if answer.status_code >= 400:
            code_of(answer, answer.status_code)
        return answer.status_code

    end = RECORDED_MS + 10_000
    assert await status("media/aac", from_ms=end, to_ms=end + 1_000) == 416
    assert await status("media/aac", from_ms=0, to_ms=60_001) == 422
    assert await status("media/aac", from_ms=-1, to_ms=100) == 422
    assert await status("media/aac", from_ms=100, to_ms=100) == 422
    assert await status("media/aac", from_ms=BEYOND, to_ms=BEYOND + 1) == 416
    assert await status("media/aac", from_ms=10**30, to_ms=10**30 + 1) == 416
    assert await status("media/aac", from_ms="soon", to_ms=100) == 422
    assert await status("media/aac", from_ms=0) == 422
    assert await status("media/flac", from_ms=0, to_ms=1_000) == 404
    for file in ("99.m4s", "-1.m4s", "0.mp4", "999999999999.m4s", "%00.m4s", "..", "²⁢.m4s"):
        assert await status(f"hls/aac/{file}") == 404, file
    assert await status("waveform", points=0) == 422
    assert await status("waveform", points=10**9) == 422
    assert await status("seats", from_ms=-BEYOND, to_ms=BEYOND) == 422
    assert await status("seats", from_ms=0, to_ms=600_001) == 422
    assert await status("seats", from_ms=-1, to_ms=599_999) == 200
    assert await status("seats", from_ms=BEYOND, to_ms=0) == 200


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "code"),
    [
        (0, 0, "range_invalid"),
        (2_000, 1_000, "range_invalid"),
        (0, 999, "range_invalid"),
        (0, 120_001, "range_invalid"),
        (-1_000, 1_000, "range_invalid"),
        (RECORDED_MS, RECORDED_MS + 5_000, "range_beyond_recording"),
        (BEYOND, BEYOND + 5_000, "range_beyond_recording"),
        (-BEYOND, BEYOND, "range_invalid"),
    ],
)
async def test_clips_of_nothing(hall: Hall, alice: Person, start_ms: int, end_ms: int, code: str) -> None:
    space_id = await hall.ended(alice)
    found = code_of(await hall.clip(alice, space_id, start_ms, end_ms), 422)
    assert found in (code, "validation_failed")


async def test_clips_that_one_may_not_make(
    hall: Hall, alice: Person, bob: Person, client: httpx.AsyncClient
) -> None:
    secret = await hall.ended(alice, recorded=False)
    assert code_of(await hall.clip(bob, secret, 0, 2_000), 422) == "not_recorded"
    closed = await hall.live(alice, audience="followed", recorded=True)
    assert code_of(await hall.clip(bob, closed, 0, 2_000), 404) == "not_found"
    for space_id in ("1", "0", "-1", "x", "", str(BEYOND), "9" * 400, "1\x00"):
        assert code_of(await hall.clip(bob, space_id, 0, 2_000), 404, 422) in ("not_found", "validation_failed")
    body = {"space": closed, "start_ms": 0, "end_ms": 2_000}
    assert code_of(await client.post(CLIPS, json=body), 401)


TITLES: dict[str, str] = {
    "endless": "x" * 10_000,
    "control": "a\x07b",
    "NUL": "a\x00b",
    "lines": "a\nb",
    "override": "a\u202ereversed",
    "isolate": "a\u2066b",
    "nothing": "",
    "blank": " \u3000 ",
    "invisible": "\u200b\u2060",
}


@pytest.mark.parametrize("name", TITLES)
async def test_titles(client: httpx.AsyncClient, alice: Person, name: str) -> None:
    body = {"title": TITLES[name]}
    assert code_of(await client.post(SPACES, json=body, headers=alice.headers), 422).startswith("title_")
    topic = {"title": "Fine", "topics": [TITLES[name]]}
    assert code_of(await client.post(SPACES, json=topic, headers=alice.headers), 422).startswith("topic_")


BODIES: dict[str, bytes] = {
    "lone surrogate": rb'{"title": "\ud800"}',
    "not UTF-8": b'{"title": "\xff"}',
    "deep": b'{"title": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "deep and open": b'{"title": ' + b"[" * 50_000,
    "unknown field": b'{"title": "Fine", "titel": 1}',
    "wrong type": b'{"title": 1}',
    "a list": b"[]",
    "null": b"null",
    "nothing": b"",
    "half": b'{"title": "Fi',
    "huge number": b'{"title": "Fine", "scheduled_at": 1e999}',
    "no time": b'{"title": "Fine", "scheduled_at": "2026-02-31T00:00:00Z"}',
    "out of time": b'{"title": "Fine", "scheduled_at": "9999-12-31T23:59:59-23:59"}',
    "id too large": b'{"title": "Fine", "invited": ["9223372036854775808"]}',
    "id no number": b'{"title": "Fine", "invited": ["me"]}',
    "id a number": b'{"title": "Fine", "invited": [1]}',
}


@pytest.mark.parametrize("name", BODIES)
async def test_bodies(client: httpx.AsyncClient, alice: Person, name: str) -> None:
    headers = {**alice.headers, "content-type": "application/json"}
    answer = await client.post(SPACES, content=BODIES[name], headers=headers)
    assert code_of(answer, 400, 422)
    assert (await client.get(SPACES, params={"creator": alice.id, "state": "scheduled"})).json() == []


@pytest.mark.parametrize(
    "id_", ["0", "-1", str(BEYOND), str(BEYOND - 1), "9" * 400, "9" * 5_000, "x", "%00", "1.5", "٣"]
)
async def test_ids_in_paths(client: httpx.AsyncClient, alice: Person, id_: str) -> None:
    end = {"do": "end"}
    assert code_of(await client.get(f"{SPACES}/{id_}"), 404)
    assert code_of(await client.post(f"{SPACES}/{id_}/commands", json=end, headers=alice.headers), 404)
    assert code_of(await client.get(f"{SPACES}/{id_}/hls/aac/0.m4s"), 404)
    assert code_of(await client.get(f"/api/v1/statuses/{id_}"), 404)
    assert code_of(await client.get(f"/api/v1/accounts/{id_}"), 404)
    assert code_of(await client.get(f"/media/{id_}.m4a"), 404)
    assert (await client.get(f"/spaces/{id_}")).status_code == 404
    assert (await client.get(f"/@alice/{id_}")).status_code == 404


async def test_texts_with_a_nul(client: httpx.AsyncClient, alice: Person, people: Any) -> None:
    """PostgreSQL cannot store it; SQLite could."""
    sent: list[tuple[str, str, dict[str, str]]] = [
        ("POST", "/api/v1/statuses", {"status": "a\0b"}),
        ("POST", "/api/v1/statuses", {"status": "fine", "spoiler_text": "a\0b"}),
        ("POST", "/api/v1/statuses", {"status": "fine", "language": "\0"}),
        ("PATCH", "/api/v1/accounts/update_credentials", {"display_name": "a\0b"}),
        ("PATCH", "/api/v1/accounts/update_credentials", {"note": "a\0b"}),
        ("POST", "/api/v1/apps", {"client_name": "a\0b", "redirect_uris": "urn:ietf:wg:oauth:2.0:oob"}),
        ("POST", "/api/folkmoot/v1/accounts", {"username": "a\0b", "password": "long enough to be one"}),
        (
            "POST",
            "/api/folkmoot/v1/accounts",
            {"username": "ab", "password": "long enough to be one", "email": "\0"},
        ),
        ("POST", "/api/folkmoot/v1/session", {"username": "a\0b", "password": "x"}),
        ("POST", "/oauth/token", {"grant_type": "authorization_code", "client_id": "\0", "code": "\0"}),
    ]
    for method, path, body in sent:
        answer = await client.request(method, path, json=body, headers=alice.headers)
        assert answer.status_code in (400, 401, 422), (path, body, answer.status_code, answer.text)
        assert answer.json()["error"]
    for query in ({"acct": "\0"}, {"acct": "a\0b@moot.test"}):
        assert (await client.get("/api/v1/accounts/lookup", params=query)).status_code in (404, 422)


BY_ITSELF = [
    "start",
    "end",
    "cancel",
    "panic",
    "mute_all",
    "lock",
    "unlock",
    "unpin",
    "step_down",
    "unmute",
    "decline",
]
ABOUT_SOMEBODY = ["invite", "uninvite", "let_up", "mute", "remove", "let_back"]
ABOUT_SOMEBODY += ["make_co_host", "unmake_co_host", "hand_over"]
COMMANDS: list[dict[str, Any]] = [
    *({"do": name} for name in [*BY_ITSELF, "unask"]),
    *({"do": name, "account": "{bob}"} for name in ABOUT_SOMEBODY),
    {"do": "edit", "title": "Mine now"},
    {"do": "pin", "post": "{announcement}"},
    {"do": "accept", "recording_consent": True},
]


async def test_every_command_by_a_stranger_and_when_it_is_over(
    hall: Hall, alice: Person, bob: Person, client: httpx.AsyncClient
) -> None:
    space_id = await hall.live(alice)
    path = f"{SPACES}/{space_id}"

    async def tell(who: Person, order: dict[str, Any]) -> httpx.Response:
        known = {"{bob}": str(bob.id), "{announcement}": before["announcement_id"]}
        filled = {name: known.get(value, value) for name, value in order.items()}
        return await client.post(f"{path}/commands", json=filled, headers=who.headers)

    before = (await client.get(path)).json()
    for order in COMMANDS:
        assert code_of(await tell(bob, order), 403, 422), order
    assert (await client.get(path)).json() == before
    assert code_of(await client.post(f"{path}/commands", json={"do": "end"}), 401)
    await hall.end(alice, space_id)
    for order in [*COMMANDS, {"do": "ask", "recording_consent": True}]:
        assert code_of(await tell(alice, order), 422) == "ended", order
        assert code_of(await tell(bob, order), 422) == "ended", order


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"do": "explode"},
        {"do": None},
        {"do": ["end"]},
        {"do": "end", "really": True},
        {"do": "mute"},
        {"do": "mute", "account": 1},
        {"do": "mute", "account": "01"},
        {"do": "mute", "account": str(BEYOND)},
        {"do": "mute", "account": "1\x00"},
        {"do": "ask", "recording_consent": "yes"},
        {"do": "invite", "account": "1", "role": "host"},
        {"do": "pin", "post": "-1"},
        {"do": "edit", "topics": "a"},
        {"do": "edit", "topics": ["a"] * 1_000},
        {"do": "edit"},
    ],
    ids=str,
)
async def test_orders_that_are_none(hall: Hall, alice: Person, client: httpx.AsyncClient, order: Any) -> None:
    space_id = await hall.live(alice)
    answer = await client.post(f"{SPACES}/{space_id}/commands", json=order, headers=alice.headers)
    assert code_of(answer, 400, 422)
