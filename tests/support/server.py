"""A whole Folkmoot server in processes of its own, as its operator would start it."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import httpx
import psutil
from tests.support.waiting import PATIENCE_S, Starved
from typer.testing import CliRunner

from folkmoot.__main__ import app
from folkmoot.storage.migrations import migrate

Found = TypeVar("Found")
STOP_WITHIN_S = 10.0


def eventually(look: Callable[[], Found | None], within_s: float = PATIENCE_S, what: str = "it") -> Found:
    """The first true value that `look` gives; fails when none comes in time."""
    deadline = time.monotonic() + within_s
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {within_s} s (last: {found!r})")
        time.sleep(0.02)


class Server:
    """A running server. `admin` runs its command line, `client` makes HTTP clients for its address."""

    def __init__(self, data: Path, process: "subprocess.Popen[str]", log: Path) -> None:
        self.data = data
        self.process = process
        self.log = log
        self.base_url = ""
        self.setup_url: str | None = None

    def admin(self, *arguments: str) -> str:
        """What `folkmoot admin …` prints. In a thread, because it has an event loop of its own, and not in a
        process, of which the start would take most of the time of many a test."""
        command = ["admin", "--data", str(self.data), *arguments]
        with ThreadPoolExecutor(1) as thread:
            done = thread.submit(CliRunner().invoke, app, command).result(60)
        assert done.exit_code == 0, (done.stderr, done.exception)
        return done.stdout.strip()

    def client(self, token: str | None = None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.base_url, headers=headers, timeout=PATIENCE_S)

    def token(self, username: str) -> str:
        """An access token of an account, which is made if it isn't there."""
        if username not in self.admin("list"):
            self.admin("create", username, "--password", f"{username}-has-a-long-password")
        return self.admin("token", username).split()[-1]

    def children(self) -> dict[str, psutil.Process]:
        """The server's processes by name: web, worker, audience-0, stage-<id>, cut to 12 characters."""
        return dict(self._named_children())

    def child(self, beginning: str) -> psutil.Process:
        """The one whose name begins so, as soon as it is there: what was just forked has no name of its own yet."""
        return eventually(
            lambda: next((child for name, child in self.children().items() if name.startswith(beginning)), None),
            what=f"a process {beginning}",
        )

    def stages(self) -> set[psutil.Process]:
        """All of them: their names, cut, may be the same."""
        return {child for name, child in self._named_children() if name.startswith("stage-")}

    def _named_children(self) -> Iterator[tuple[str, psutil.Process]]:
        for child in psutil.Process(self.process.pid).children():
            with suppress(psutil.NoSuchProcess):  # it has ended since it was listed
                yield child.name().removeprefix("fm-"), child

    def stop(self) -> int:
        """SIGTERM; the exit code. Fails if it takes longer than it may."""
        asked_s, starved = time.monotonic(), Starved()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE_S)
        assert time.monotonic() - asked_s - starved.s() <= STOP_WITHIN_S
        return code


@cache
def _new_database() -> bytes:
    """What the server makes where there is none."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "folkmoot.db"
        migrate(f"sqlite+aiosqlite:///{path}")
        return path.read_bytes()


@contextmanager
def running_server(data: Path, *, from_nothing: bool = False, **settings: str) -> Iterator[Server]:
    """Start `folkmoot serve` on a free port and wait for its first page.

    `from_nothing`: it makes its database itself, as for its operator, which takes half a second of the processor.
    """
    data.mkdir(parents=True, exist_ok=True)
    if not from_nothing and not (data / "folkmoot.db").exists():
        (data / "folkmoot.db").write_bytes(_new_database())
    log = data.parent / f"{data.name}.log"
    environment = {**os.environ, **{f"FOLKMOOT_{name.upper()}": value for name, value in settings.items()}}
    command = [sys.executable, "-m", "folkmoot", "serve", "--data", str(data), "--port", "0"]
    with log.open("w") as errors:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment, bufsize=1
        )
        server = Server(data, process, log)
        try:
            _read_address(server)
            eventually(lambda: _answers(server), what="the first page")
            yield server
        finally:
            _end(process)


def _read_address(server: Server) -> None:
    assert server.process.stdout is not None
    said = ""
    for line in server.process.stdout:
        said += line
        if found := re.search(r"Folkmoot is at (\S+)", line):
            server.base_url = found[1]
        if found := re.search(r"(http\S+/setup\?secret=\S+)", line):
            server.setup_url = found[1]
        if server.base_url and not line.strip():
            return
    raise AssertionError(f"the server said {said!r} and {server.log.read_text()[-3000:]}")


def _answers(server: Server) -> bool:
    assert server.process.poll() is None, server.log.read_text()[-3000:]
    try:
        return httpx.get(f"{server.base_url}/api/v2/instance", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def _end(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
