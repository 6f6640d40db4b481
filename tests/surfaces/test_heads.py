"""HEAD is answered wherever GET is, without content."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest
from litestar import Litestar, Request, get
from litestar.response import Stream
from tests.support.waiting import PATIENCE_S

from folkmoot.surfaces.heads import Heads


@pytest.mark.parametrize("path", ["/api/v2/instance", "/@alice", "/health", "/nothing/here", "/static/avatar.png"])
async def test_it_is_what_get_would_say(app: Litestar, alice: Any, path: str) -> None:
    transport = httpx.ASGITransport(cast(Any, Heads(cast(Any, app))))
    async with httpx.AsyncClient(transport=transport, base_url="http://moot.test") as client:
        head, whole = await client.head(path), await client.get(path)
    assert (head.status_code, head.content) == (whole.status_code, b"")
    changing = ("x-ratelimit-remaining", "x-ratelimit-reset", "date", "etag")
    of_head, of_get = (
        {name: value for name, value in answer.headers.items() if name not in changing} for answer in (head, whole)
    )
    assert of_head == of_get


async def test_an_answer_without_end_ends() -> None:
    ended = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"and"
                await asyncio.sleep(0)
        finally:
            ended.set()

    @get("/")
    async def endless(request: Request[Any, Any, Any]) -> Stream:
        return Stream(pieces())

    said: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False} if not said else await asyncio.Future()

    async def send(message: Any) -> None:
        said.append(message)

    scope: Any = {
        "type": "http",
        "method": "HEAD",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "headers": [],
        "root_path": "",
        "scheme": "http",
        "server": ("moot.test", 80),
        "client": ("127.0.0.1", 1),
        "extensions": {},
    }
    async with asyncio.timeout(PATIENCE_S):
        await Heads(cast(Any, Litestar([endless])))(scope, receive, send)
        await ended.wait()
    assert [message["type"] for message in said] == ["http.response.start", "http.response.body"]
    assert (said[1]["body"], said[1]["more_body"]) == (b"", False)
