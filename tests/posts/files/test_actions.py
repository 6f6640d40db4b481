"""Files and the posts that they hang on, on both databases."""

import pytest
from sqlalchemy import select
from tests.support.square import Square

from folkmoot.gate import ANONYMOUS, Action, Refused
from folkmoot.posts.actions import delete_post
from folkmoot.posts.files import actions, queries
from folkmoot.posts.files.model import Media, MediaDetails
from folkmoot.posts.model import Visibility
from folkmoot.storage.tables.posts import posts


def a_sound(account_id: int, media_id: int) -> Media:
    return Media(
        id=media_id,
        account_id=account_id,
        kind="audio",
        content_type="audio/mp4",
        object_key=f"{media_id}.m4a",
        size_bytes=1,
        description="",
        details=MediaDetails(duration_ms=1_000, waveform=(1, 2)),
        created_at_ms=0,
    )


async def keep_sound(square: Square, account_id: int, media_id: int) -> None:
    await square.act(account_id, Action.CLIP, lambda acting: actions.add(acting, a_sound(account_id, media_id)))


async def test_only_ones_own_free_files_can_be_attached(square: Square) -> None:
    alice, bob = await square.person("alice"), await square.person("bob")
    await keep_sound(square, alice, 7)
    await keep_sound(square, bob, 8)
    for media_id in (8, 9):
        with pytest.raises(Refused) as refusal:
            await square.say(alice, "", media_ids=(media_id,))
        assert refusal.value.status == 422
    post = await square.say(alice, "", media_ids=(7,))
    with pytest.raises(Refused):
        await square.say(alice, "again", media_ids=(7,))
    async with square.database.read() as read:
        attached = await queries.of_posts(read, [post.id])
        assert [m.id for m in attached[post.id]] == [7]
        assert (await read.connection.execute(select(posts.c.id))).scalars().all() == [post.id]


async def test_a_file_is_for_whom_its_post_is_for(square: Square) -> None:
    alice, bob = await square.person("alice"), await square.person("bob")
    await keep_sound(square, alice, 7)
    alice_sees, bob_sees = await square.viewer(alice), await square.viewer(bob)

    async def seen_by() -> list[bool]:
        async with square.database.read() as read:
            media = await queries.by_id(read, 7)
            assert media is not None
            return [
                bool(await square.gate.admit(read, viewer, [media])) for viewer in (alice_sees, bob_sees, ANONYMOUS)
            ]

    assert await seen_by() == [True, False, False]
    post = await square.say(alice, "for @bob", Visibility.DIRECT, media_ids=(7,))
    assert await seen_by() == [True, True, False]
    await square.act(alice, Action.DELETE_POST, lambda acting: delete_post(acting, post.id))
    assert await seen_by() == [True, False, False]
    await square.say(alice, "for all", media_ids=(7,))
    assert await seen_by() == [True, True, True]


async def test_only_the_owner_describes_a_file(square: Square) -> None:
    alice, bob = await square.person("alice"), await square.person("bob")
    await keep_sound(square, alice, 7)
    media = await square.act(alice, Action.POST, lambda acting: actions.describe(acting, 7, " a talk "))
    assert media.description == "a talk"
    with pytest.raises(Refused) as refusal:
        await square.act(bob, Action.POST, lambda acting: actions.describe(acting, 7, "mine"))
    assert refusal.value.status == 404
    with pytest.raises(Refused):
        await square.act(alice, Action.POST, lambda acting: actions.describe(acting, 7, "x" * 1501))
