"""A whole server over HTTPS, by itself and behind the real nginx and Caddy with the configurations in `deploy/`:
what comes through, at once, and that the client's address is the client's."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from tests.serve.moot import SPACES, Moot
from tests.support.certificates import Authority
from tests.support.server import running_server
from tests.support.waiting import PATIENCE_S, Starved, wait_until
from websockets.asyncio.client import connect

from folkmoot.bench.nginx_front import nginx_front

pytestmark = pytest.mark.slow
in_the_modules_loop = pytest.mark.asyncio(loop_scope="module")
CADDYFILE = Path(__file__).parents[2] / "deploy" / "caddy" / "Caddyfile"
PROXIES = "127.0.0.0/29"  # nginx asks from four addresses of these; the tests' clients have others
NEVER_SO_LONG_S = 5.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def caddy(folder: Path, origin: str, chain: Path, key: Path) -> Iterator[str]:
    port = free_port()
    text = CADDYFILE.read_text()
    assert "moot.example {\n" in text
    text = text.replace("127.0.0.1:8000", origin)
    text = text.replace("moot.example {\n", f"https://localhost:{port} {{\n\ttls {chain} {key}\n")
    folder.mkdir()
    (folder / "Caddyfile").write_text(
        "{\n\tadmin off\n\tgrace_period 1s\n\tskip_install_trust\n\tauto_https disable_redirects\n}\n" + text
    )
    program = shutil.which("caddy")
    assert program is not None, "scripts/install-system-packages installs caddy"
    command = [program, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stderr=log, env={"HOME": str(folder), "PATH": "/usr/bin"})
        try:
            yield f"https://localhost:{port}"
        finally:
            process.terminate()
            process.wait()


@contextmanager
def front(name: str, folder: Path, authority: Authority) -> Iterator[tuple[Moot, str]]:
    """(people, address) of a server that HTTPS leads to in this way."""
    chain, key = authority.issue(name)
    if name == "itself":
        with running_server(folder / "data", tls_certificate=str(chain), tls_key=str(key)) as server:
            yield Moot(server), server.base_url
        return
    with running_server(folder / "data", trusted_proxies=PROXIES) as server:
        origin = f"127.0.0.1:{httpx.URL(server.base_url).port}"
        if name == "nginx":
            with nginx_front(folder / "nginx", origin, chain, key, 2) as nginx:
                server.base_url = f"https://localhost:{nginx.port}"
                yield Moot(server), server.base_url
        else:
            with caddy(folder / "caddy", origin, chain, key) as address:
                server.base_url = address
                wait_until(lambda: answers(address))
                yield Moot(server), address


def answers(address: str) -> bool:
    try:
        return httpx.get(address, timeout=PATIENCE_S).status_code == 200
    except httpx.TransportError:
        return False


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["itself", "nginx", "caddy"])
async def moot(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Moot]:
    folder = tmp_path_factory.mktemp(request.param)
    authority = Authority(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(authority.file))
        with front(request.param, folder, authority) as (made, _address):
            yield made
            await made.close()


@in_the_modules_loop
async def test_everything_comes_through_at_once(moot: Moot) -> None:
    host = await moot.person("hana")
    page = await host.http.get("/")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    space = await host.open_space("Over HTTPS")
    await host.speak(space, 440)  # WHIP: an offer is answered, and sound goes both ways
    began_s, starved = time.monotonic(), Starved()
    async with host.http.stream("GET", f"{SPACES}/{space['id']}/listen?codec=opus") as listening:
        assert listening.status_code == 200
        heard = b""
        async for piece in listening.aiter_bytes():
            heard += piece
            if heard.count(b"moof") >= 15:
                break
    lasted_s = time.monotonic() - began_s
    assert lasted_s > 0.4, "parts come as they are made"
    assert lasted_s - starved.s() < NEVER_SO_LONG_S, "and at once"
    async with host.http.stream("GET", f"{SPACES}/{space['id']}/events") as events:
        assert events.headers["content-type"].startswith("text/event-stream")
        assert await anext(events.aiter_lines())
    assert time.monotonic() - began_s - starved.s() < 2 * NEVER_SO_LONG_S
    playlist = await host.http.get(f"{SPACES}/{space['id']}/hls/index.m3u8", follow_redirects=True)
    assert playlist.status_code == 200
    assert playlist.text.startswith("#EXTM3U")
    await host.tell(space, "end")


@in_the_modules_loop
async def test_streams_come_as_websockets(moot: Moot) -> None:
    """As the programs of people's telephones follow their timelines."""
    person = await moot.person("wanda")
    address = str(person.http.base_url).replace("https", "wss").rstrip("/")
    stream = f"{address}/api/v1/streaming?access_token={person.token}"
    async with connect(stream, open_timeout=PATIENCE_S) as socket, asyncio.timeout(PATIENCE_S):
        await socket.send(json.dumps({"type": "dance"}))
        assert json.loads(await socket.recv())["status"] == 400, "what is asked arrives, and its answer"


@in_the_modules_loop
async def test_uploads_are_taken_and_refused_by_the_server_itself(moot: Moot) -> None:
    person = await moot.person("rosa")
    long = await person.http.post("/api/v1/statuses", json={"status": "x" * 900_000})
    assert long.status_code == 422, "all of it arrived, and is too long"
    longer = await person.http.post("/api/v1/statuses", json={"status": "x" * 3_000_000})
    assert longer.status_code == 413


@in_the_modules_loop
async def test_limits_count_for_the_clients_own_address(moot: Moot) -> None:
    # One more in 20 s: what comes back while this runs is little.
    async def may_register(address: str, **headers: str) -> bool:
        program = {"client_name": "kite", "redirect_uris": "urn:ietf:wg:oauth:2.0:oob"}
        answer = await moot.nobody(address).http.post("/api/v1/apps", json=program, headers=headers)
        assert answer.status_code in (200, 429)
        return answer.status_code == 200

    async def is_refused_soon(tries: int, **headers: str) -> bool:
        for _ in range(tries):
            if not await may_register("127.0.2.1", **headers):
                return True
        return False

    assert await is_refused_soon(60)
    claims = {
        "X-Forwarded-For": "203.0.113.9",
        "Forwarded": "for=203.0.113.9",
        "X-Real-IP": "203.0.113.9",
    }
    for name, value in claims.items():
        assert await is_refused_soon(5, **{name: value}), "what a client claims changes nothing"
    assert await may_register("127.0.2.2"), "its neighbour has its own"


def test_the_browser_is_told_to_come_back_by_https(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path)
    chain, key = authority.issue()
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with running_server(tmp_path / "data", tls_certificate=str(chain), tls_key=str(key)) as server:
        assert "max-age" in httpx.get(server.base_url, timeout=PATIENCE_S).headers["strict-transport-security"]
        plain = httpx.get(server.base_url.replace("https", "http") + "/spaces?a=b", timeout=PATIENCE_S)
        assert (plain.status_code, plain.headers["location"]) == (308, f"{server.base_url}/spaces?a=b")
        before = shown(server.base_url)
        authority.issue(days=30)
        wait_until(lambda: shown(server.base_url) != before)  # read again, nobody restarted anything


def shown(address: str) -> str:
    """The certificate that a server shows."""
    return ssl.get_server_certificate(("localhost", httpx.URL(address).port or 443))
