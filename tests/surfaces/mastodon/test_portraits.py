"""Avatars and headers: real addresses always, and pictures of one's own."""

import io
from typing import Any

import httpx
import pytest
from PIL import Image
from tests.support import uploads

from folkmoot.gate import Standing

UPDATE = "/api/v1/accounts/update_credentials"
FIELDS = ("avatar", "avatar_static", "header", "header_static")


def local(url: str) -> str:
    return url.removeprefix("http://moot.test")


async def test_nobody_is_without_a_picture(client: httpx.AsyncClient, alice: Any) -> None:
    shown = (await client.get(f"/api/v1/accounts/{alice.id}")).json()
    for name in FIELDS:
        picture = await client.get(local(shown[name]))
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")


async def shows_the_default(client: httpx.AsyncClient, address: str) -> None:
    answer = await client.get(local(address))
    assert (answer.status_code, answer.headers["cache-control"]) == (302, "private, no-cache")
    assert answer.headers["location"] == "http://moot.test/static/avatar.png"


async def test_an_avatar_comes_with_the_profile_and_goes(
    client: httpx.AsyncClient, alice: Any, people: Any
) -> None:
    files = {"avatar": ("me.jpg", uploads.photograph(90, 50), "image/jpeg")}
    answer = await client.patch(UPDATE, headers=alice.headers, files=files, data={"display_name": "Alice!"})
    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert shown["display_name"] == "Alice!"
    assert shown["header"].endswith("/static/header.png")
    for name in ("avatar", "avatar_static"):
        kept = await client.get(local(shown[name]))
        assert (kept.status_code, kept.headers["content-type"]) == (200, "image/jpeg")
        assert kept.headers["cache-control"] == "public, max-age=300"
        with Image.open(io.BytesIO(kept.content)) as picture:
            assert (picture.size, dict(picture.getexif())) == ((400, 400), {})
    await people.put(alice.id, Standing.SUSPENDED)
    await shows_the_default(client, shown["avatar"])
    await people.put(alice.id, Standing.ACTIVE)
    again = {"Authorization": f"Bearer {await people.token(alice.id)}"}
    gone = await client.delete("/api/v1/profile/avatar", headers=again)
    assert gone.json()["avatar"].endswith("/static/avatar.png")
    assert (await client.get(local(shown["avatar"]))).status_code == 404


async def test_of_a_limited_account_followers_see_it_and_no_cache_keeps_it(
    client: httpx.AsyncClient, alice: Any, bob: Any, people: Any
) -> None:
    files = {"avatar": ("me.jpg", uploads.photograph(9, 9), "image/jpeg")}
    avatar = local((await client.patch(UPDATE, headers=alice.headers, files=files)).json()["avatar"])
    await people.follow(bob.id, alice.id)
    await people.put(alice.id, Standing.LIMITED)
    seen = await client.get(avatar, headers=bob.headers)
    assert (seen.status_code, seen.headers["cache-control"]) == (200, "private, no-cache")
    # Apps show pictures without a token: they get the one of those who have none.
    await shows_the_default(client, avatar)


@pytest.mark.slow
async def test_one_that_moves_has_one_that_does_not(client: httpx.AsyncClient, alice: Any) -> None:
    files = {"avatar": ("me.gif", uploads.animation(3)), "header": ("h.png", uploads.photograph(30, 30, "PNG"))}
    shown = (await client.patch(UPDATE, headers=alice.headers, files=files)).json()
    frames = []
    for name in FIELDS:
        with Image.open(io.BytesIO((await client.get(local(shown[name]))).content)) as picture:
            frames.append(getattr(picture, "n_frames", 1))
    assert frames == [3, 1, 1, 1]
    gone = await client.delete("/api/v1/profile/header", headers=alice.headers)
    assert gone.json()["header"].endswith("/static/header.png")


@pytest.mark.parametrize("content", [uploads.DRAWING, b"\xff\xd8\xffnothing", b"RIFF1234WAVEfmt "])
async def test_what_is_no_picture_is_refused(client: httpx.AsyncClient, alice: Any, content: bytes) -> None:
    answer = await client.patch(UPDATE, headers=alice.headers, files={"avatar": ("me.jpg", content)})
    assert answer.status_code == 422
    shown = (await client.get(f"/api/v1/accounts/{alice.id}")).json()
    assert shown["avatar"].endswith("/static/avatar.png")


@pytest.mark.parametrize("name", ["avatar-1.png", "avatar-x.png", "nothing", "avatar-7-static.webp"])
async def test_other_addresses_are_none(client: httpx.AsyncClient, alice: Any, name: str) -> None:
    assert (await client.get(f"/portraits/{alice.id}/{name}")).status_code == 404
    assert (await client.get(f"/portraits/zero/{name}")).status_code == 404
