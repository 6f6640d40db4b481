"""What was stored of an upload that was refused in the end goes."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select
from tests.support import uploads

from folkmoot.gate import Refused
from folkmoot.posts.files import actions
from folkmoot.posts.files.claims import CLEAR_UNCLAIMED, unclaimed_clearer
from folkmoot.storage.discarding import DELETE_OBJECTS, object_deleter
from folkmoot.storage.jobs import Job
from folkmoot.storage.tables.bus import jobs
from folkmoot.surfaces.services import Services


async def refused(*_: Any) -> None:
    raise Refused("suspended", "This account is suspended.", status=403)


async def run_all(services: Services, kind: str, handler: Any) -> None:
    async with services.database.read() as read:
        found = (await read.connection.execute(select(jobs.c.payload).where(jobs.c.kind == kind))).scalars()
        payloads = list(found)
    assert payloads
    for payload in payloads:
        await handler(Job(id=1, queue="", kind=kind, payload=payload, attempt=1))


@pytest.mark.parametrize("entering", ["add", "add_upload"])
async def test_what_nobody_claimed_goes(
    client: httpx.AsyncClient, services: Services, alice: Any, entering: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = uploads.photograph() if entering == "add" else uploads.sound()

    async def send() -> int:
        files = {"file": ("x", content, "image/png")}
        return (await client.post("/api/v2/media", headers=alice.headers, files=files)).status_code

    with monkeypatch.context() as at_the_end:
        at_the_end.setattr(actions, entering, refused)
        assert await send() == 403
    unclaimed = await stored(services)
    assert unclaimed
    assert await send() in (200, 202)
    everything = await stored(services)

    await run_all(services, CLEAR_UNCLAIMED, unclaimed_clearer(services.database, services.objects))
    await run_all(services, DELETE_OBJECTS, object_deleter(services.objects))
    assert await stored(services) == everything - unclaimed


async def stored(services: Services) -> set[str]:
    return {key for folder in ("files", "uploads") for key in await services.objects.keys(folder)}
