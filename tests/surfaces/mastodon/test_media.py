"""Uploading over HTTP: at once where it is small, later where it isn't, and a sentence where it can't be."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from fractions import Fraction
from typing import Any

import av
import httpx
import pytest
from PIL import Image
from tests.support import uploads
from tests.support.people import People

from folkmoot.gate import Standing
from folkmoot.posts.files.actions import PROCESS
from folkmoot.posts.files.processing import Processing
from folkmoot.storage.discarding import DELETE_OBJECTS, object_deleter
from folkmoot.storage.doorbell import Doorbell
from folkmoot.storage.jobs import Worker
from folkmoot.surfaces.services import Services

MEDIA = "/api/v1/media"
Work = Callable[[], Awaitable[int]]


async def upload(
    client: httpx.AsyncClient, who: Any, content: bytes, path: str = "/api/v2/media", **form: str
) -> Any:
    return await client.post(path, headers=who.headers, files={"file": ("x", content, "image/png")}, data=form)


@pytest.fixture
def work(services: Services, tmp_path: Any) -> Work:
    """Do what a worker would, once."""
    handlers = {
        PROCESS: Processing(services.gate, services.depot, services.database.clock_ms).run,
        DELETE_OBJECTS: object_deleter(services.objects),
    }
    return Worker(services.database, handlers, doorbell=Doorbell(tmp_path / "bells")).step


def local(url: str) -> str:
    return url.removeprefix("http://moot.test")


async def test_a_small_picture_is_answered_at_once(client: httpx.AsyncClient, alice: Any, bob: Any) -> None:
    answer = await upload(client, alice, uploads.photograph(60, 40), description="a wall", focus="0.5,-2")
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert (shown["type"], shown["description"]) == ("image", "a wall")
    assert shown["meta"]["original"] == {"width": 60, "height": 40, "size": "60x40", "aspect": 1.5}
    assert shown["meta"]["focus"] == {"x": 0.5, "y": -1.0}
    assert len(shown["blurhash"]) == 36
    assert "folkmoot" not in shown
    assert (await client.get(f"{MEDIA}/{shown['id']}", headers=alice.headers)).json()["id"] == shown["id"]
    for url in (shown["url"], shown["preview_url"]):
        kept = await client.get(local(url))
        assert (kept.status_code, kept.headers["content-type"]) == (200, "image/jpeg")
        assert kept.headers["x-content-type-options"] == "nosniff"
        assert kept.headers["content-security-policy"].startswith("default-src 'none'")
        with Image.open(io.BytesIO(kept.content)) as picture:
            assert not picture.getexif()
        part = await client.get(local(url), headers={"range": "bytes=0-9"})
        assert (part.status_code, part.content) == (206, kept.content[:10])
        assert (await client.get(local(url), headers={"if-none-match": kept.headers["etag"]})).status_code == 304
        # By its bare address it is its owner's only, until it hangs on a post.
        assert (await client.get(local(url).partition("?")[0], headers=bob.headers)).status_code == 404
    said = {"status": "look", "media_ids": [shown["id"]]}
    posted = (await client.post("/api/v1/statuses", headers=alice.headers, json=said)).json()
    (attached,) = posted["media_attachments"]
    assert (await client.get(local(attached["preview_url"]))).status_code == 200


async def test_followers_of_a_limited_account_play_its_files_without_a_token(
    client: httpx.AsyncClient, alice: Any, bob: Any, people: People
) -> None:
    made = (await upload(client, alice, uploads.photograph(9, 9))).json()
    said = {"status": "look", "media_ids": [made["id"]]}
    posted = (await client.post("/api/v1/statuses", headers=alice.headers, json=said)).json()
    await people.follow(bob.id, alice.id)
    await people.put(alice.id, Standing.LIMITED)
    seen = (await client.get(f"/api/v1/statuses/{posted['id']}", headers=bob.headers)).json()
    (attached,) = seen["media_attachments"]
    for url in (attached["url"], attached["preview_url"]):
        assert (await client.get(local(url))).status_code == 200
        assert (await client.get(local(url).partition("?")[0])).status_code == 404


@pytest.mark.slow
async def test_a_film_is_processed_later(client: httpx.AsyncClient, alice: Any, work: Work) -> None:
    answer = await upload(client, alice, uploads.clap("mpeg4", "mov"))
    assert answer.status_code == 202, answer.text
    shown = answer.json()
    assert (shown["type"], shown["url"], shown["preview_url"]) == ("video", None, None)
    path = f"{MEDIA}/{shown['id']}"
    waiting = await client.get(path, headers=alice.headers)
    assert (waiting.status_code, waiting.json()["folkmoot"]) == (206, {"progress": 0})
    assert await work()
    ready = await client.get(path, headers=alice.headers)
    assert ready.status_code == 200
    meta = ready.json()["meta"]
    assert (meta["original"]["width"], meta["size"]) == (64, "64x48")
    assert float(Fraction(meta["original"]["frame_rate"])) == pytest.approx(24, abs=0.1)
    film = await client.get(local(ready.json()["url"]))
    assert (film.headers["content-type"], film.content[4:8]) == ("video/mp4", b"ftyp")
    with av.open(io.BytesIO(film.content)) as played:
        assert [one.codec_context.name for one in played.streams] == ["h264", "aac"]
    still = await client.get(local(ready.json()["preview_url"]))
    assert still.headers["content-type"] == "image/jpeg"


@pytest.mark.slow
async def test_older_clients_wait_for_it(client: httpx.AsyncClient, alice: Any, work: Work) -> None:
    async def work_soon() -> None:
        while not await work():
            await asyncio.sleep(0.02)

    answer, _ = await asyncio.gather(upload(client, alice, uploads.sound(), MEDIA), work_soon())
    assert (answer.status_code, answer.json()["type"]) == (200, "audio"), answer.text
    assert answer.json()["meta"]["length"] == "0:00:01.00"


@pytest.mark.slow
async def test_what_can_not_be_processed_says_why(client: httpx.AsyncClient, alice: Any, work: Work) -> None:
    shown = (await upload(client, alice, uploads.endless_film())).json()
    await work()
    answer = await client.get(f"{MEDIA}/{shown['id']}", headers=alice.headers)
    assert answer.status_code == 422
    assert "longer than 10 minutes" in answer.json()["error"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (uploads.DRAWING, "File content type is invalid"),
        (uploads.PLAYLIST, "File content type is invalid"),
        (b"", "File can't be blank"),
        (b"\xff\xd8\xff" + bytes(16 * 1024 * 1024), "File must be less than 16 MB"),
    ],
    ids=["drawing", "playlist", "empty", "large"],
)
async def test_what_is_not_taken_is_refused(
    client: httpx.AsyncClient, alice: Any, content: bytes, why: str
) -> None:
    for path in ("/api/v2/media", MEDIA):
        answer = await upload(client, alice, content, path)
        assert (answer.status_code, answer.json()["error"]) == (422, f"Validation failed: {why}")


@pytest.mark.parametrize("form", [{"focus": "left"}, {"focus": "nan,0"}, {"description": "x" * 1501}])
async def test_fields_that_can_not_be_are_refused(client: httpx.AsyncClient, alice: Any, form: Any) -> None:
    assert (await upload(client, alice, uploads.photograph(), **form)).status_code == 422


async def test_without_a_file_there_is_nothing(client: httpx.AsyncClient, alice: Any) -> None:
    answer = await client.post("/api/v2/media", headers=alice.headers, json={"description": "none"})
    assert answer.status_code == 422
    broken = {**alice.headers, "content-type": "multipart/form-data; boundary=x"}
    answer = await client.post("/api/v2/media", headers=broken, content=b"--y\r\nnonsense")
    assert answer.status_code in (400, 422)
    assert "error" in answer.json()


async def test_large_bodies_are_for_files(client: httpx.AsyncClient, alice: Any) -> None:
    words = {"description": "x" * 1_000_001}
    for sent in ({"json": words}, {"data": words}, {"data": words, "files": {"file": ("x", b"GIF89a")}}):
        answer = await client.post("/api/v2/media", headers=alice.headers, **sent)
        assert answer.status_code == 413
        assert "error" in answer.json()
    chunked = {**alice.headers, "content-type": "application/json"}
    answer = await client.post("/api/v2/media", headers=chunked, content=_pieces())
    assert answer.status_code == 411


async def _pieces() -> AsyncIterator[bytes]:
    yield b"{"
    yield b"}"


async def test_one_changes_and_deletes_ones_own(client: httpx.AsyncClient, alice: Any, bob: Any) -> None:
    shown = (await upload(client, alice, uploads.photograph())).json()
    path = f"{MEDIA}/{shown['id']}"
    for method, other in (("PUT", bob), ("DELETE", bob)):
        assert (await client.request(method, path, headers=other.headers)).status_code == 404
    changed = await client.put(path, headers=alice.headers, json={"focus": "0.1,0.2", "description": "better"})
    assert (changed.json()["meta"]["focus"], changed.json()["description"]) == ({"x": 0.1, "y": 0.2}, "better")
    assert (await client.delete(path, headers=alice.headers)).json() == {}
    assert (await client.get(path, headers=alice.headers)).status_code == 404


async def test_what_a_post_shows_is_not_deleted(client: httpx.AsyncClient, alice: Any) -> None:
    shown = (await upload(client, alice, uploads.photograph())).json()
    said = {"status": "look", "media_ids": [shown["id"]]}
    assert (await client.post("/api/v1/statuses", headers=alice.headers, json=said)).status_code == 200
    answer = await client.delete(f"{MEDIA}/{shown['id']}", headers=alice.headers)
    assert answer.status_code == 422


async def test_what_a_post_shows_is_changed_by_an_edit_alone(client: httpx.AsyncClient, alice: Any) -> None:
    shown = (await upload(client, alice, uploads.photograph())).json()
    path = f"{MEDIA}/{shown['id']}"
    said: dict[str, Any] = {"status": "look", "media_ids": [shown["id"]]}
    post = (await client.post("/api/v1/statuses", headers=alice.headers, json=said)).json()
    thumbnail = {"thumbnail": ("y.jpg", uploads.photograph(20, 10))}
    every: list[dict[str, Any]] = [
        {"json": {"description": "other"}},
        {"json": {"focus": "0.1,0.2"}},
        {"files": thumbnail},
    ]
    for changes in every:
        assert (await client.put(path, headers=alice.headers, **changes)).status_code == 404
    of_post = f"/api/v1/statuses/{post['id']}"
    assert (await client.get(of_post)).json()["media_attachments"] == post["media_attachments"]
    said["media_attributes"] = [{"id": shown["id"], "focus": "0.1,0.2"}]
    edited = (await client.put(of_post, headers=alice.headers, json=said)).json()
    assert edited["media_attachments"][0]["meta"]["focus"] == {"x": 0.1, "y": 0.2}
    assert edited["edited_at"] is not None
    assert (await client.put(of_post, headers=alice.headers, json=said)).json()["edited_at"] == edited["edited_at"]
    history = (await client.get(f"{of_post}/history")).json()
    assert len(history) == 2


@pytest.mark.slow
async def test_a_thumbnail_of_ones_own(client: httpx.AsyncClient, alice: Any, work: Work) -> None:
    files = {"file": ("x.wav", uploads.sound()), "thumbnail": ("y.jpg", uploads.photograph(30, 30))}
    shown = (await client.post("/api/v2/media", headers=alice.headers, files=files)).json()
    await work()
    path = f"{MEDIA}/{shown['id']}"
    first = (await client.get(path, headers=alice.headers)).json()
    assert first["meta"]["small"]["size"] == "30x30"
    other = {"thumbnail": ("y.jpg", uploads.photograph(20, 10))}
    changed = (await client.put(path, headers=alice.headers, files=other)).json()
    assert changed["meta"]["small"]["size"] == "20x10"
    assert (await client.get(local(changed["preview_url"]))).status_code == 200


@pytest.mark.slow
async def test_of_two_thumbnails_at_once_one_stays(client: httpx.AsyncClient, alice: Any, work: Work) -> None:
    """As clients send them that try again too soon."""
    shown = (await upload(client, alice, uploads.photograph())).json()
    path = f"{MEDIA}/{shown['id']}"
    sizes = ((20, 10), (10, 20))
    await asyncio.gather(
        *(
            client.put(path, headers=alice.headers, files={"thumbnail": ("y.jpg", uploads.photograph(*size))})
            for size in sizes
        )
    )
    while await work():
        pass
    kept = (await client.get(path, headers=alice.headers)).json()
    assert (await client.get(local(kept["preview_url"]))).status_code == 200


async def test_uploads_are_counted(client: httpx.AsyncClient, alice: Any) -> None:
    for _ in range(120):
        answer = await client.post("/api/v2/media", headers=alice.headers, json={})
        assert answer.status_code == 422
    assert (await client.post("/api/v2/media", headers=alice.headers, json={})).status_code == 429


async def test_the_server_says_what_it_takes(client: httpx.AsyncClient) -> None:
    for path in ("/api/v1/instance", "/api/v2/instance"):
        said = (await client.get(path)).json()["configuration"]["media_attachments"]
        assert {"image/jpeg", "image/heic", "video/mp4", "audio/mpeg"} <= set(said["supported_mime_types"])
        assert (said["image_size_limit"], said["video_matrix_limit"]) == (16 * 1024 * 1024, 8_294_400)
