"""What a page costs, counted in statements: the same for one of everything and for many of it."""

from typing import Any

import httpx
import pytest
from sqlalchemy import event, insert
from tests.support.people import People
from tests.support.square import Square

from folkmoot.gate import Action
from folkmoot.posts import boosts
from folkmoot.posts.actions import create_post
from folkmoot.posts.files import actions as files
from folkmoot.posts.files.model import Media, MediaDetails
from folkmoot.posts.model import Draft as PostDraft
from folkmoot.posts.model import PollDraft, Post
from folkmoot.posts.queries import by_id
from folkmoot.spaces import actions as spaces
from folkmoot.spaces.model import Audience, Space
from folkmoot.spaces.model import Draft as SpaceDraft
from folkmoot.storage.database import Write
from folkmoot.storage.tables.spaces import clips
from folkmoot.surfaces.services import Services

HOME_STATEMENTS_MAX = 12
MANY = 3


@pytest.fixture
def square(services: Services) -> Square:
    return Square(services.database)


async def _space(square: Square, host: int, title: str) -> Space:
    draft = SpaceDraft(title=title, audience=Audience.PUBLIC)
    return await square.act(
        host, Action.OPEN_SPACE, lambda acting: spaces.create(acting, draft, page_url="http://moot.test/spaces")
    )


async def _clip(square: Square, author: int, space_id: int) -> int:
    """A file that was cut from a Space."""
    ids = square.database.ids
    now_ms = square.database.clock_ms()
    clip_id = ids.next()

    async def cut(tx: Write) -> None:
        row = {"id": clip_id, "space_id": space_id, "account_id": author, "start_ms": 0, "end_ms": 9}
        await tx.connection.execute(insert(clips).values(created_at_ms=now_ms, **row))

    await square.database.write(cut)
    file = Media(
        id=ids.next(),
        account_id=author,
        kind="audio",
        content_type="audio/mp4",
        object_key=f"{clip_id}.m4a",
        size_bytes=1,
        description="",
        details=MediaDetails(duration_ms=9),
        created_at_ms=now_ms,
        clip_id=clip_id,
    )
    await square.act(author, Action.UPLOAD, lambda acting: files.add(acting, file))
    return file.id


async def _one_of_everything(square: Square, author: int, other: int) -> None:
    said = await square.say(other, "to be boosted #tea")
    await _boost(square, author, said)
    await _quote(square, author, said)
    await square.say(author, "a poll #tea", poll=PollDraft(options=("yes", "no"), lasts_s=600))
    await square.say(author, "hello @alice #tea")
    await square.say(author, "a reply #tea", answering=said)
    space = await _space(square, author, "Tea")
    media_id = await _clip(square, author, space.id)
    await square.say(author, "a clip #tea", media_ids=(media_id,))


async def _boost(square: Square, author: int, said: Post) -> None:
    viewer = await square.viewer(author)
    async with square.database.read() as read:
        visible = await square.gate.admit_one(read, viewer, said, "Post")
    await square.act(author, Action.POST, lambda acting: boosts.boost(acting, visible, said.visibility))


async def _quote(square: Square, author: int, said: Post) -> None:
    viewer = await square.viewer(author)
    async with square.database.read() as read:
        visible = await square.gate.admit_one(read, viewer, await by_id(read, said.id), "Post")
    draft = PostDraft(source="look #tea", quoted_id=said.id)
    await square.act(author, Action.POST, lambda acting: create_post(acting, draft, None, visible))


async def test_a_page_costs_the_same_with_one_of_everything_and_with_many(
    client: httpx.AsyncClient, square: Square, services: Services, people: People, alice: Any, bob: Any
) -> None:
    other = await people.create("other")
    await people.follow(alice.id, bob.id)
    await people.follow(alice.id, other)
    wordy = {
        "title": "no tea",
        "context": ["home", "public", "account"],
        "keywords_attributes": [{"keyword": "tea"}],
    }
    await client.post("/api/v2/filters", json=wordy, headers=alice.headers)
    of_tea = (await client.post("/api/v1/lists", json={"title": "tea"}, headers=alice.headers)).json()["id"]
    await client.post(
        f"/api/v1/lists/{of_tea}/accounts", json={"account_ids": [str(bob.id)]}, headers=alice.headers
    )
    pages = {
        "home": "/api/v1/timelines/home",
        "public": "/api/v1/timelines/public",
        "account": f"/api/v1/accounts/{bob.id}/statuses",
        "list": f"/api/v1/timelines/list/{of_tea}",
        "tag": "/api/v1/timelines/tag/tea",
        "search": "/api/v2/search?type=statuses&q=tea from:bob",
    }
    await client.patch("/api/v1/accounts/update_credentials", json={"indexable": True}, headers=bob.headers)
    counted: list[str] = []
    event.listen(
        services.database.engine.sync_engine, "before_cursor_execute", lambda *what: counted.append(what[2])
    )

    async def costs() -> dict[str, tuple[int, int]]:
        found = {}
        for name, path in pages.items():
            counted.clear()
            answer = await client.get(
                path, params={"limit": 40} if "?" not in path else None, headers=alice.headers
            )
            assert answer.status_code == 200, answer.text
            shown = answer.json()["statuses"] if name == "search" else answer.json()
            found[name] = (len(counted), len(shown))
        return found

    await _one_of_everything(square, bob.id, other)
    await costs()  # a process reads some things once
    one = await costs()
    for _ in range(MANY):
        await _one_of_everything(square, bob.id, other)
    many = await costs()
    assert {name: cost for name, (cost, _) in many.items()} == {name: cost for name, (cost, _) in one.items()}
    assert all(many[name][1] > one[name][1] > 0 for name in pages), (one, many)
    assert many["home"][0] <= HOME_STATEMENTS_MAX, counted
