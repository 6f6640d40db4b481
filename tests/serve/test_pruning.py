"""What nobody needs any more goes, and nothing else."""

from functools import partial
from pathlib import Path

from sqlalchemy import Table, func, select
from tests.support.clock import FakeClock
from tests.support.square import Square

from folkmoot.accounts.actions import make_owner_link, sign_in
from folkmoot.accounts.oauth import actions as oauth
from folkmoot.accounts.oauth.model import Application, AuthorizationRequest, NewApplication
from folkmoot.gate import Acting, Action
from folkmoot.posts.actions import create_post, delete_post
from folkmoot.posts.files.actions import add
from folkmoot.posts.files.model import Media, MediaDetails
from folkmoot.posts.model import Draft
from folkmoot.serve.pruning import prune
from folkmoot.storage.database import Database
from folkmoot.storage.discarding import DELETE_OBJECTS, object_deleter
from folkmoot.storage.doorbell import Doorbell
from folkmoot.storage.jobs import Worker
from folkmoot.storage.objects import ObjectStore
from folkmoot.storage.tables.credentials import authorization_codes, one_time_links, tokens
from folkmoot.storage.tables.posts import media

DAY_MS = 86_400_000


async def count(database: Database, table: Table) -> int:
    async with database.read() as read:
        found: int = (await read.connection.execute(select(func.count()).select_from(table))).scalar_one()
    return found


async def test_credentials_that_open_nothing(database: Database, clock: FakeClock) -> None:
    square = Square(database)
    alice = await square.person("alice")

    async def some(acting: Acting) -> Application:
        application, _ = await oauth.register(acting, NewApplication("App", None, ("https://app.test/",), "read"))
        await oauth.grant_to_application(acting, application, "read")
        await make_owner_link(acting)
        return application

    permit = square.gate.permit_system(Action.SIGN_IN, "test")
    application = await square.gate.act(permit, some)
    asked = AuthorizationRequest(application, "https://app.test/", "read", None, None)
    await square.act(alice, Action.SIGN_IN, sign_in)
    await square.act(alice, Action.AUTHORIZE, lambda acting: oauth.make_code(acting, asked))

    async def kept() -> list[int]:
        await prune(square.gate, reports_kept_days=180)
        return [await count(database, table) for table in (tokens, authorization_codes, one_time_links)]

    assert await kept() == [2, 1, 1]
    clock.advance_ms(2 * DAY_MS)
    assert await kept() == [2, 0, 0]
    await square.act(alice, Action.SIGN_IN, sign_in)
    clock.advance_ms(28 * DAY_MS)
    assert await kept() == [1, 0, 0]


async def test_files_that_hang_on_nothing(database: Database, clock: FakeClock, tmp_path: Path) -> None:
    square, objects = Square(database), ObjectStore.open(str(tmp_path))
    alice = await square.person("alice")

    async def keep(media_id: int) -> None:
        file = Media(
            id=media_id,
            account_id=alice,
            kind="audio",
            content_type="audio/mp4",
            object_key=f"clips/{media_id}.m4a",
            size_bytes=1,
            description="",
            details=MediaDetails(duration_ms=1_000, waveform=(1, 2)),
            created_at_ms=clock(),
        )
        await objects.put(file.object_key, b"sound", file.content_type)
        await square.act(alice, Action.CLIP, lambda acting: add(acting, file))

    for media_id in range(1, 8):
        await keep(media_id)
    for media_id in (1, 2):
        draft = Draft(source="listen", media_ids=(media_id,))
        post = await square.act(alice, Action.POST, partial(create_post, draft=draft))
    worker = Worker(database, {DELETE_OBJECTS: object_deleter(objects)}, doorbell=Doorbell(tmp_path / "bells"))

    async def kept() -> list[str]:
        await prune(square.gate, reports_kept_days=180, files_per_transaction=2)
        while await worker.step():
            pass
        files = sorted(path.name for path in (tmp_path / "clips").iterdir())
        assert len(files) == await count(database, media)
        return files

    assert len(await kept()) == 7
    clock.advance_ms(DAY_MS + 1)
    assert await kept() == ["1.m4a", "2.m4a"]
    # What hung on a post that was deleted can be posted anew for a day.
    await square.act(alice, Action.DELETE_POST, lambda acting: delete_post(acting, post.id))
    assert await kept() == ["1.m4a", "2.m4a"]
    clock.advance_ms(DAY_MS + 1)
    assert await kept() == ["1.m4a"]
