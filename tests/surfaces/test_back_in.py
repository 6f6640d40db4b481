"""What stays while somebody is suspended; and, after the lift and a new sign-in, everything works anew."""

from collections.abc import AsyncIterator
from functools import partial

import httpx
import pytest
from litestar import Litestar
from tests.support.people import People
from tests.support.web import visitor
from tests.surfaces.staging import staged
from tests.surfaces.sweep import Scene
from tests.surfaces.swept import API, SPACE

from folkmoot.gate import Acting, Standing
from folkmoot.spaces import actions as spaces
from folkmoot.spaces import commands as c
from folkmoot.surfaces.services import Services

pytestmark = pytest.mark.slow


@pytest.fixture
async def scene(app: Litestar, services: Services, people: People) -> Scene:
    return await staged(app, services, people)


@pytest.fixture
async def itself(scene: Scene, app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    """The account's program, after `signed_in`."""
    async with visitor(app) as client:
        yield client


async def signed_in(client: httpx.AsyncClient, scene: Scene) -> None:
    client.headers["Authorization"] = f"Bearer {await scene.people.token(scene.account)}"


async def as_(client: httpx.AsyncClient, scene: Scene, account_id: int, path: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {await scene.people.token(account_id)}"}
    return await client.get(path, headers=headers)


async def test_a_thread_holds_together_around_what_is_hidden(scene: Scene, client: httpx.AsyncClient) -> None:
    """Mastodon's API has no entity for a gap: the reply below keeps the id of what it answers, which is a 404."""
    headers = {"Authorization": f"Bearer {await scene.people.token(scene.follower)}"}
    top, hidden = scene.made["strangers_post"], scene.made["reply"]
    answer = await client.post(
        "/api/v1/statuses", json={"status": "I saw it.", "in_reply_to_id": hidden}, headers=headers
    )
    below = answer.json()["id"]
    for standing in (Standing.SUSPENDED, Standing.DEACTIVATED):
        await scene.people.put(scene.account, standing)
        thread = (await client.get(f"/api/v1/statuses/{top}/context")).json()
        assert [(one["id"], one["in_reply_to_id"]) for one in thread["descendants"]] == [(below, hidden)]
        thread = (await client.get(f"/api/v1/statuses/{below}/context")).json()
        assert [one["id"] for one in thread["ancestors"]] == [top]
        assert (await client.get(f"/api/v1/statuses/{hidden}")).status_code == 404
    await scene.people.put(scene.account, Standing.ACTIVE)
    thread = (await client.get(f"/api/v1/statuses/{top}/context")).json()
    assert [one["id"] for one in thread["descendants"]] == [hidden, below]


@pytest.mark.parametrize("standing", [Standing.SUSPENDED, Standing.DEACTIVATED, Standing.LOCKED])
async def test_the_seat_stays_as_that_of_a_sanctioned_account(
    scene: Scene, client: httpx.AsyncClient, standing: Standing
) -> None:
    seats = f"{API}/spaces/{scene.made['strangers_space']}/seats"
    seat = int(scene.made["seat"])
    await scene.people.put(scene.account, standing)
    shown = (await client.get(seats)).json()["seats"]
    assert {"seat": seat, "account": None, "sanctioned": True} in shown
    await scene.people.put(scene.account, Standing.ACTIVE)
    (back,) = [one for one in (await client.get(seats)).json()["seats"] if one["seat"] == seat]
    assert (back["account"]["acct"], back["sanctioned"]) == ("nightjar", False)


async def test_suspended_one_takes_everything_along(scene: Scene, itself: httpx.AsyncClient) -> None:
    await scene.people.put(scene.account, Standing.SUSPENDED)
    await signed_in(itself, scene)
    answer = await itself.get(f"{API}/export")
    assert answer.headers["content-disposition"] == 'attachment; filename="folkmoot.json"'
    data = answer.json()
    assert data["profile"]["username"] == "nightjar"
    assert [one["standing"] for one in data["sanctions"]] == ["suspended"]
    assert [one["username"] for one in data["following"]] == ["stranger"]
    assert [one["username"] for one in data["followers"]] == ["follower"]
    posts = {one["id"]: one for one in data["posts"]}
    assert {scene.made[name] for name in ("post", "private_post", "reply", "media_post")} <= posts.keys()
    assert posts[scene.made["private_post"]]["text"] == "canaryprivatepost"
    assert posts[scene.made["media_post"]]["media"][0]["description"] == "canarydescribedmed"
    assert {one["title"] for one in data["spaces"]} == {
        "canaryscheduledspace", "canaryendedspace", "canaryclosedspace", "canarylivespace"
    }  # fmt: skip
    assert len(data["clips"]) == 2
    assert [one["name"] for one in data["featured_tags"]] == ["canarytag"]
    assert len(data["conversations"]) >= 1
    everything = answer.text
    assert "What happened?" not in everything  # somebody else's words


async def test_much_is_exported_page_by_page(
    scene: Scene, itself: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await signed_in(itself, scene)
    whole = (await itself.get(f"{API}/export")).json()
    for page in (1, 2):
        for part in ("export", "export_people", "export_posts", "export_reading", "export_rows"):
            monkeypatch.setattr(f"folkmoot.surfaces.{part}.PAGE", page)
        assert (await itself.get(f"{API}/export")).json() == whole


async def test_signed_out_meanwhile_the_document_breaks_off(
    scene: Scene, itself: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await signed_in(itself, scene)
    section = "folkmoot.surfaces.export_posts.posts.of_author"

    async def loses_it(*_of: object, **_more: object) -> list[object]:
        await scene.people.put(scene.account, Standing.SUSPENDED)
        return []

    monkeypatch.setattr(section, loses_it)
    with pytest.raises(Exception, match="response started"):
        await itself.get(f"{API}/export")


async def test_back_in_everything_works_anew(scene: Scene, itself: httpx.AsyncClient) -> None:
    await scene.people.put(scene.account, Standing.SUSPENDED)
    for name in ("live_space", "strangers_space"):
        await scene.people.system(partial(_as_the_worker_does, int(scene.made[name]), scene.account))
    await scene.people.put(scene.account, Standing.ACTIVE)
    await signed_in(itself, scene)
    await _sees_what_it_saw(scene, itself)
    await _is_seen_as_it_was(scene, itself)
    await _posts_and_follows(scene, itself)
    await _takes_part_in_spaces(scene, itself)


async def _sees_what_it_saw(scene: Scene, itself: httpx.AsyncClient) -> None:
    home = [one["id"] for one in (await itself.get("/api/v1/timelines/home")).json()]
    assert {scene.made[name] for name in ("post", "private_post", "strangers_post")} <= set(home)
    relation = (await itself.get("/api/v1/accounts/relationships", params={"id[]": scene.made["stranger"]})).json()
    assert relation[0]["following"]


async def _is_seen_as_it_was(scene: Scene, itself: httpx.AsyncClient) -> None:
    for path in (
        f"/api/v1/accounts/{scene.account}",
        f"/api/v1/statuses/{scene.made['private_post']}",
        f"{API}/spaces/{scene.made['ended_space']}",
    ):
        for account_id in (scene.account, scene.follower):
            assert (await as_(itself, scene, account_id, path)).status_code == 200, path
    assert (await itself.get(f"/api/v1/media/{scene.made['media']}")).status_code == 200
    followers = (await itself.get(f"/api/v1/accounts/{scene.account}/followers")).json()
    assert [one["acct"] for one in followers] == ["follower"]


async def _posts_and_follows(scene: Scene, itself: httpx.AsyncClient) -> None:
    posted = await itself.post("/api/v1/statuses", json={"status": "back"})
    assert posted.status_code == 200
    home = (await as_(itself, scene, scene.follower, "/api/v1/timelines/home")).json()
    assert home[0]["id"] == posted.json()["id"]
    followed = await itself.post(f"/api/v1/accounts/{scene.follower}/follow")
    assert followed.json()["following"]


async def _as_the_worker_does(space_id: int, account_id: int, acting: Acting) -> None:
    await spaces.observe(acting, space_id, c.StandingLost(account_id))


async def _takes_part_in_spaces(scene: Scene, itself: httpx.AsyncClient) -> None:
    own = f"{API}/spaces/{scene.made['live_space']}"
    ended = await itself.post(f"{own}/commands", json={"do": "end"})
    assert ended.status_code == 200, "within a minute it still hosts its Space"
    opened = await itself.post(f"{API}/spaces", json={"title": "Back in", "start": True})
    assert opened.status_code == 201, opened.text
    live = (await itself.get(f"{API}/spaces")).json()
    assert opened.json()["id"] in {one["id"] for one in live}
    cut = await itself.post(
        f"{API}/clips", json={"space": scene.made["ended_space"], "start_ms": 0, "end_ms": 1_000}
    )
    assert cut.status_code in (200, 201), cut.text
    await itself.post(f"{API}/spaces/{opened.json()['id']}/commands", json={"do": "end"})
    space_id = int(scene.made["strangers_space"])
    space = f"{API}/spaces/{space_id}"
    assert (await itself.post(f"{space}/join")).json()["ticket"]
    asked = await itself.post(f"{space}/commands", json={"do": "ask", "recording_consent": True})
    assert asked.status_code == 200, asked.text
    let_up = await scene.command(scene.stranger, space_id, c.LetUp(account=str(scene.account)))
    assert let_up.member(scene.account).seat not in (None, int(scene.made["seat"]))
    token = itself.headers["Authorization"].removeprefix("Bearer ")
    assert (await scene.open(f"POST {SPACE}/whip", f"{space}/whip", token)).opened
    assert (await itself.post(f"{space}/reactions", json={"emoji": "👏"})).status_code == 202
