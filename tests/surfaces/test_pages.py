"""Pages for people, errors for programs."""

from pathlib import Path

import httpx
import pytest
from litestar import Litestar
from tests.support.people import People

from folkmoot.gate import Serves, Standing
from folkmoot.surfaces.pages import pages
from folkmoot.surfaces.services import Services

HTML = {"Accept": "text/html"}


@pytest.fixture(autouse=True)
def shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the client is built is none of these tests' business."""
    monkeypatch.setattr(
        pages, "_shell", lambda: "<title>Folkmoot</title><!--head--><noscript><!--body--></noscript>"
    )


async def test_assets_are_served_through_a_symlinked_path(
    client: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real/dist/assets").mkdir(parents=True)
    (tmp_path / "real/dist/assets/index-5.js").write_text("1")
    (tmp_path / "real/pages.py").touch()
    (tmp_path / "linked").symlink_to(tmp_path / "real")
    monkeypatch.setattr(pages, "DIST", pages.dist_beside(tmp_path / "linked/pages.py"))
    assert (await client.get("/assets/index-5.js")).status_code == 200
    assert (await client.get("/assets/..%2F..%2Fpages.py")).status_code == 404


@pytest.mark.parametrize(
    ("accept_encoding", "encoding", "content"),
    [
        ("gzip, deflate, br, zstd", "br", b"in brotli"),
        ("gzip", "gzip", b"in gzip"),
        ("br;q=0, gzip;q=0.5", "gzip", b"in gzip"),
        ("identity", None, b"as it is"),
        ("", None, b"as it is"),
    ],
)
async def test_scripts_are_sent_as_small_as_a_browser_takes_them(
    client: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    accept_encoding: str, encoding: str | None, content: bytes,
) -> None:  # fmt: skip
    monkeypatch.setattr(pages, "DIST", tmp_path)
    (tmp_path / "assets").mkdir()
    for suffix, words in (("", b"as it is"), (".gz", b"in gzip"), (".br", b"in brotli")):
        (tmp_path / f"assets/index-5.js{suffix}").write_bytes(words)
    asked = client.stream("GET", "/assets/index-5.js", headers={"accept-encoding": accept_encoding})
    async with asked as answer:
        assert b"".join([piece async for piece in answer.aiter_raw()]) == content
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["vary"].lower() == "accept-encoding"
    assert (await client.get("/assets/index-5.js.gz")).status_code == 404


@pytest.mark.parametrize("path", ["/nothing", "/nothing/here", "/@nobody", "/spaces/12345", "/@nobody/5"])
async def test_what_is_not_there_is_a_page_for_people_and_json_for_programs(
    client: httpx.AsyncClient, path: str
) -> None:
    page = await client.get(path, headers=HTML)
    assert page.status_code == 404
    assert "<title>Not found</title>" in page.text


async def test_a_device_can_keep_it_among_its_programs(client: httpx.AsyncClient) -> None:
    said = await client.get("/manifest.webmanifest")
    assert said.headers["content-type"] == "application/manifest+json"
    assert (said.json()["start_url"], said.json()["display"]) == ("/", "standalone")


async def test_programs_get_json(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/nothing", headers=HTML)
    assert answer.status_code == 404
    assert answer.json()["error"] == "Record not found"


async def test_a_suspended_person_gets_the_page_that_says_so(client: httpx.AsyncClient, people: People) -> None:
    account_id = await people.create("rosa")
    await people.put(account_id, Standing.SUSPENDED)
    client.cookies.set("folkmoot_session", await people.token(account_id))
    page = await client.get("/@rosa", headers=HTML)
    assert page.status_code == 403
    assert "<title>" in page.text


async def test_what_a_profile_says_is_escaped(client: httpx.AsyncClient, people: People) -> None:
    await people.create("mia")
    token = await people.token(await people.create("nora"))
    name = {"display_name": '"><script>alert(1)</script>'}
    await client.patch(
        "/api/v1/accounts/update_credentials", json=name, headers={"Authorization": f"Bearer {token}"}
    )
    page = await client.get("/@nora", headers=HTML)
    assert page.status_code == 200
    assert "<script>" not in page.text


async def test_pages_can_be_read_without_scripts(client: httpx.AsyncClient, people: People) -> None:
    token = await people.token(await people.create("odile"))
    headers = {"Authorization": f"Bearer {token}"}
    await client.patch("/api/v1/accounts/update_credentials", json={"note": "Baker </noscript>"}, headers=headers)
    said = {"status": "The oven #bread </noscript><script>alert(1)</script>"}
    post = (await client.post("/api/v1/statuses", json=said, headers=headers)).json()
    reply = {"status": "It is warm", "in_reply_to_id": post["id"], "spoiler_text": "About warmth"}
    await client.post("/api/v1/statuses", json=reply, headers=headers)
    await client.post("/api/v1/statuses", json={"status": "Among us", "visibility": "private"}, headers=headers)
    shown = {
        path: (await client.get(path, headers=HTML)).text
        for path in ("/", "/public", "/tags/Bread", "/@odile", "/@odile/media", f"/@odile/{post['id']}")
    }
    for path, page in shown.items():
        assert "The oven" in page, path
        assert "Among us" not in page, path
        assert page.lower().count("</noscript") == 1, path
        assert "<script>" not in page, path
    assert "Baker" in shown["/@odile"]
    assert "<summary>About warmth</summary>" in shown[f"/@odile/{post['id']}"]
    assert "It is warm" in shown[f"/@odile/{post['id']}"]


async def test_spaces_can_be_read_without_scripts(client: httpx.AsyncClient, people: People) -> None:
    headers = {"Authorization": f"Bearer {await people.token(await people.create('selma'))}"}
    at = "2027-01-16T08:00:00Z"  # a day after the clock of these tests
    titles = {"Bread <b>at dawn</b>": "public", "Among bakers": "invited"}
    made = [
        (
            await client.post(
                "/api/folkmoot/v1/spaces",
                json={"title": title, "topics": ["ovens"], "scheduled_at": at, "audience": audience},
                headers=headers,
            )
        ).json()
        for title, audience in titles.items()
    ]
    said = {"status": "I bring salt", "in_reply_to_id": made[0]["announcement_id"]}
    await client.post("/api/v1/statuses", json=said, headers=headers)
    listed = (await client.get("/spaces", headers=HTML)).text
    assert "Bread &lt;b&gt;at dawn&lt;/b&gt;" in listed
    assert "Among bakers" not in listed
    page = (await client.get(f"/spaces/{made[0]['id']}", headers=HTML)).text
    for words in ("Bread &lt;b&gt;at dawn&lt;/b&gt;</h1>", "Begins ", ">selma</a>", "ovens", "I bring salt"):
        assert words in page, words
    assert (await client.get(f"/spaces/{made[1]['id']}", headers=HTML)).status_code == 404
    assert "Its source code</a>" in (await client.get("/about", headers=HTML)).text


async def test_without_scripts_one_reads_what_anybody_may(client: httpx.AsyncClient, people: People) -> None:
    account_id = await people.create("pia")
    headers = {"Authorization": f"Bearer {await people.token(account_id)}"}
    await client.post("/api/v1/statuses", json={"status": "Here I am"}, headers=headers)
    await people.put(account_id, Standing.SUSPENDED)
    for path in ("/", "/public"):
        page = await client.get(path, headers=HTML)
        assert (page.status_code, "Here I am" in page.text) == (200, False)


async def test_pages_that_hold_timelines_count_as_requests_do(app: Litestar, client: httpx.AsyncClient) -> None:
    while app.state.equipment.limits.request("127.0.0.1", None).allowed:
        pass
    for path in ("/", "/public", "/tags/bread", "/spaces", "/@odile", "/@odile/1", "/about"):
        assert (await client.get(path, headers=HTML)).status_code == 429, path
    assert (await client.get("/settings/blocks", headers=HTML)).status_code == 200


def test_pages_say_whom_they_show(services: Services) -> None:
    serves = {surface.name: surface.serves for surface in services.register}
    for page in ("GET /", "GET /public", "GET /spaces", "GET /tags/{tag}"):
        assert serves[page] is Serves.ALIKE
