"""Looking at a running server from its own machine: `folkmoot top`, and the port for Prometheus."""

import fcntl
import os
import pty
import re
import select
import socket
import stat
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import msgspec
import pytest
from tests.support.server import Server, eventually, running_server
from tests.support.waiting import PATIENCE_S

from folkmoot.surfaces.watching import ServerNow

pytestmark = pytest.mark.slow


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Server]:
    with running_server(
        tmp_path_factory.mktemp("watched") / "data", metrics_port=str(port), listeners_max="70"
    ) as running:
        token = running.token("hana")
        with running.client(token) as client:
            body = {"title": "The Moot", "start": True}
            assert client.post("/api/folkmoot/v1/spaces", json=body).status_code == 201
        yield running


def command(server: Server, *words: str) -> list[str]:
    return [sys.executable, "-m", "folkmoot", "top", "--data", str(server.data), *words]


def look(server: Server) -> ServerNow:
    said = subprocess.run(command(server, "--once", "--json"), capture_output=True, check=True)
    return msgspec.json.decode(said.stdout, type=ServerNow)


def test_a_program_sees_stage_delay_and_cpu(server: Server) -> None:
    def speaking() -> ServerNow | None:
        now = look(server)
        behind_ms = now.spaces[0].behind_ms if now.spaces else None
        is_there = behind_ms is not None and 0 <= behind_ms < 2_000 and now.spaces[0].cores
        return now if is_there else None

    now = eventually(speaking, what="a stage with sound")
    (space,) = now.spaces
    assert (space.title, space.stage, space.listeners, space.listeners_estimated) == ("The Moot", "on", 0, 0)
    assert {"web", "worker", "stage", "audience-0"} <= {one.name for one in now.processes}
    path = server.data / "run" / "watching.sock"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_prometheus_needs_no_token_there_and_gets_nothing_else(server: Server, port: int) -> None:
    metrics = httpx.get(f"http://127.0.0.1:{port}/metrics?x=1", timeout=PATIENCE_S)
    assert metrics.status_code == 200
    assert "folkmoot_live_spaces 1.0" in metrics.text
    assert "folkmoot_audience_room 70.0" in metrics.text, (
        "as many as the operator allows, of what there would be room for"
    )
    assert "The Moot" not in metrics.text
    for path in ("/now", "/", "/api/v2/instance"):
        assert httpx.get(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE_S).status_code == 404
    assert httpx.post(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE_S).status_code == 404
    assert httpx.get(f"{server.base_url}/metrics", timeout=PATIENCE_S).status_code == 401


def test_half_a_request_and_nonsense_hold_nothing_up(server: Server, port: int) -> None:
    assert server.process.poll() is None
    for sent in (b"", b"GET /metr", b"\x00" * 100_000, b"X: y\r\n" * 10_000):
        with socket.create_connection(("127.0.0.1", port)) as idle:
            with suppress(ConnectionError):  # it was refused before its end
                idle.sendall(sent)
            assert httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE_S).status_code == 200


@pytest.mark.parametrize("columns", [40, 120])
def test_a_terminal_of_any_width_without_colours(server: Server, columns: int) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {**os.environ, "NO_COLOR": "1", "TERM": "xterm", "COLUMNS": str(columns), "LINES": "24"}
    with subprocess.Popen(command(server), stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as top:
        shown = b""
        deadline = time.monotonic() + PATIENCE_S
        while b"listen" not in shown or b"The Moot" not in shown:
            assert time.monotonic() < deadline, shown
            if select.select([ours], [], [], 0.5)[0]:
                shown += os.read(ours, 65_536)
        os.write(ours, b"dq")
        while top.poll() is None:
            assert time.monotonic() < deadline, "q does not quit"
            if select.select([ours], [], [], 0.1)[0]:
                shown += os.read(ours, 65_536)
        assert top.returncode == 0
    assert not re.search(rb"\x1b\[[0-9;]*3[0-7]m", shown), "colours"
    os.close(ours)
    os.close(theirs)


def test_without_a_server_one_sentence(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "folkmoot", "top", "--data", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 1
    assert said.stderr.startswith("No Folkmoot answers")
