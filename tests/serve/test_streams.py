"""Streams of a whole server: over WebSockets and server-sent events, by HTTPS, until a right is lost."""

import asyncio
import contextlib
import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support.certificates import Authority
from tests.support.server import running_server
from tests.support.waiting import PATIENCE_S, Starved
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

pytestmark = pytest.mark.slow
OVER_WITHIN_S = 0.5


async def next_event(socket: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S):
        heard: dict[str, Any] = json.loads(await socket.recv())
        return heard


async def over_at(socket: ClientConnection) -> float:
    """When (monotonic) it ended."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                await socket.recv()
    except ConnectionClosed:
        return time.monotonic()


async def lines_until_over(answer: httpx.Response, heard: list[str]) -> float:
    with contextlib.suppress(httpx.TransportError):
        async for line in answer.aiter_lines():
            heard.append(line)  # noqa: PERF401 (what came before it broke off counts)
    return time.monotonic()


async def test_streams_over_https_until_a_suspension(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path)
    chain, key = authority.issue()
    trust = authority.client()
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with running_server(tmp_path / "data", tls_certificate=str(chain), tls_key=str(key)) as server:
        alice, bob = server.token("alice"), server.token("bob")
        host = server.base_url.removeprefix("https://")
        headers = {"Authorization": f"Bearer {bob}"}
        async with (
            httpx.AsyncClient(base_url=server.base_url, verify=trust, timeout=PATIENCE_S) as http,
            connect(f"wss://{host}/api/v1/streaming?access_token={bob}&stream=public", ssl=trust) as socket,
            connect(f"wss://{host}/api/v1/streaming", ssl=trust, subprotocols=[bob]) as other,  # type: ignore[list-item]
            http.stream("GET", "/api/v1/streaming/public", headers=headers) as events,
        ):
            assert other.subprotocol == bob
            assert events.headers["content-type"].startswith("text/event-stream")
            heard: list[str] = []
            listening = asyncio.create_task(lines_until_over(events, heard))
            await other.send(json.dumps({"type": "subscribe", "stream": "user"}))
            await other.send(json.dumps({"type": "dance"}))
            assert (await next_event(other))["status"] == 400  # what was asked for before it holds by now
            said = await http.post(
                "/api/v1/statuses", json={"status": "hear @bob"}, headers={"Authorization": f"Bearer {alice}"}
            )
            assert said.status_code == 200, said.text
            first = await next_event(socket)
            assert (first["stream"], first["event"]) == (["public"], "update")
            assert json.loads(first["payload"])["id"] == said.json()["id"]
            assert (await next_event(other))["event"] == "notification"
            async with asyncio.timeout(PATIENCE_S):
                while "event: update" not in heard:
                    await asyncio.sleep(0.01)
            starved = Starved()
            suspended = asyncio.to_thread(server.admin, "suspend", "bob", "--reason", "A test")
            ends = asyncio.gather(over_at(socket), over_at(other), listening)
            await suspended
            committed_s = time.monotonic()
            for ended_s in await ends:
                assert ended_s - committed_s - starved.s() < OVER_WITHIN_S
