"""What the heads of pages say: only what anybody may see."""

from typing import Any

import httpx
import pytest
from tests.support.people import People
from tests.support.sounds import a_picture, a_sound
from tests.support.square import Square

from folkmoot.gate import Standing
from folkmoot.posts.model import Visibility
from folkmoot.surfaces.mastodon.page_meta import post_meta, profile_meta
from folkmoot.surfaces.pages.meta import PageMeta
from folkmoot.surfaces.services import Services


@pytest.fixture
def square(services: Services) -> Square:
    return Square(services.database)


async def meta_of(services: Services, post_id: int) -> PageMeta | None:
    async with services.database.read() as read:
        return await post_meta(read, services, post_id)


async def test_a_posts_head(services: Services, square: Square, alice: Any) -> None:
    post = await square.say(alice.id, 'One & "two"\n\n<three>')
    meta = await meta_of(services, post.id)
    assert meta is not None
    assert (meta.title, meta.description) == ("alice (@alice@moot.test)", 'One & "two" <three>')
    assert (meta.url, meta.oembed) == (f"http://moot.test/@alice/{post.id}", True)
    warned = await square.say(alice.id, "the ending", spoiler_text="spoilers")
    shown = await meta_of(services, warned.id)
    assert shown is not None
    assert shown.description == "spoilers"


async def test_what_is_not_for_everybody_has_no_head(
    services: Services, square: Square, people: People, alice: Any
) -> None:
    private = await square.say(alice.id, "private", Visibility.FOLLOWERS)
    public = await square.say(alice.id, "public")
    assert await meta_of(services, private.id) is None
    async with services.database.read() as read:
        profile = await profile_meta(read, services, "ALICE")
        assert profile is not None
        assert profile.url == "http://moot.test/@alice"
        assert await profile_meta(read, services, "nobody") is None
    await people.put(alice.id, Standing.SUSPENDED)
    assert await meta_of(services, public.id) is None
    async with services.database.read() as read:
        assert await profile_meta(read, services, "alice") is None


async def test_what_is_unfurled_is_what_it_is_and_covered_if_its_author_says_so(
    services: Services, square: Square, client: httpx.AsyncClient, alice: Any
) -> None:
    async def said(file_id: int, **fields: Any) -> tuple[PageMeta, list[str]]:
        post = await square.say(alice.id, "look", media_ids=(file_id,), **fields)
        meta = await meta_of(services, post.id)
        assert meta is not None
        pages = [(await client.get(path)).text for path in (f"/embed/{post.id}", f"/@alice/{post.id}")]
        assert all(f"/{file_id}" in page for page in pages)
        return meta, pages

    sound, _ = await said(await a_sound(square, alice.id, "a lark"))
    assert (sound.audio_url is None, sound.image_url) == (False, None)
    picture_id = await a_picture(square, alice.id, "a lark")
    picture, pages = await said(picture_id)
    assert (picture.audio_url, picture.image_url is None) == (None, False)
    assert f'<meta property="og:image" content="{picture.image_url}" />' in picture.tags()
    assert not any("<summary>Sensitive" in page for page in pages)
    covered, pages = await said(await a_picture(square, alice.id, "a hawk"), sensitive=True)
    assert (covered.audio_url, covered.image_url) == (None, None)
    assert all("<details><summary>Sensitive</summary>" in page for page in pages)
