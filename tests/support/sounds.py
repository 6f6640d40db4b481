"""Files of posts for tests, without bytes."""

from tests.support.people import People
from tests.support.square import Square

from folkmoot.gate import Acting, Action
from folkmoot.posts.files import actions as files
from folkmoot.posts.files.model import Media, MediaDetails


async def a_sound(people: People | Square, account_id: int, description: str) -> int:
    """The id of a sound of somebody's that hangs on no post yet."""

    async def work(acting: Acting) -> int:
        id_ = acting.tx.new_id()
        await files.add(
            acting,
            Media(
                id=id_,
                account_id=account_id,
                kind="audio",
                content_type="audio/mp4",
                object_key=f"test/{id_}",
                size_bytes=1,
                description=description,
                details=MediaDetails(duration_ms=1_000),
                created_at_ms=acting.now_ms,
            ),
        )
        return id_

    return await people.act(account_id, Action.UPLOAD, work)
