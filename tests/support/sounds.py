"""Files of posts for tests, without bytes."""

from tests.support.people import People
from tests.support.square import Square

from folkmoot.gate import Acting, Action
from folkmoot.media.depot import Stored
from folkmoot.posts.files import actions as files
from folkmoot.posts.files.model import Media, MediaDetails


async def a_sound(people: People | Square, account_id: int, description: str) -> int:
    """The id of a sound of somebody's that hangs on no post yet."""
    return await _file(people, account_id, description, "audio", "audio/mp4", MediaDetails(duration_ms=1_000))


async def a_picture(people: People | Square, account_id: int, description: str) -> int:
    """The id of a picture of somebody's that hangs on no post yet."""
    preview = Stored("test/small.webp", "image/webp", 1, 40, 30)
    details = MediaDetails(width=80, height=60, preview=preview)
    return await _file(people, account_id, description, "image", "image/webp", details)


async def _file(
    people: People | Square, account_id: int, description: str, kind: str, content_type: str, details: MediaDetails
) -> int:

    async def work(acting: Acting) -> int:
        id_ = acting.tx.new_id()
        await files.add(
            acting,
            Media(
                id=id_,
                account_id=account_id,
                kind=kind,
                content_type=content_type,
                object_key=f"test/{id_}",
                size_bytes=1,
                description=description,
                details=details,
                created_at_ms=acting.now_ms,
            ),
        )
        return id_

    return await people.act(account_id, Action.UPLOAD, work)
