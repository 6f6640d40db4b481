"""A whole server, started as its operator would, on a data directory of its own."""

import http.client
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from folkmoot.bench.processes import tree

START_WITHIN_S = 60.0
STOP_WITHIN_S = 10.0


class ServerFailed(Exception):
    """The server didn't start. The message holds the end of its log."""


def ask(
    base_url: str, method: str, path: str, body: bytes | None = None, content_type: str = "", token: str = ""
) -> tuple[int, bytes]:
    """Status and body of one request, on a connection of its own. Raises OSError."""
    where = urlsplit(base_url)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if body is not None:
        headers["Content-Type"] = content_type
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=START_WITHIN_S)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


class Server:
    """A server that is being started by `running_server`."""

    def __init__(self, data: Path, log: Path, settings: Mapping[str, str]) -> None:
        self.data = data
        self.base_url = ""
        self.began_s = time.monotonic()
        self._log = log
        with log.open("w") as errors:
            self._process = subprocess.Popen(
                [*_folkmoot(), "serve", "--data", str(data), "--port", "0"],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={**_environment(), **{f"FOLKMOOT_{name.upper()}": text for name, text in settings.items()}},
            )

    @property
    def port(self) -> int:
        port = urlsplit(self.base_url).port
        assert port is not None
        return port

    def reload(self) -> float:
        """`folkmoot reload`; the seconds that it took. Raises ServerFailed."""
        began_s = time.monotonic()
        command = [*_folkmoot(), "reload", "--data", str(self.data)]
        done = subprocess.run(command, capture_output=True, text=True, env=_environment(), check=False)
        if done.returncode != 0:
            raise ServerFailed(f"folkmoot reload: {done.stderr.strip()} {self._log_end()}")
        return time.monotonic() - began_s

    def pids(self) -> list[int]:
        """All its processes, the supervisor first."""
        return tree(self._process.pid)

    def wait_for_address(self) -> None:
        """Until it has said where it is. Raises ServerFailed."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if found := re.search(r"Folkmoot is at (\S+)", line):
                self.base_url = found[1]
                return
        raise ServerFailed(f"The server ended without an address: {self._log_end()}")

    def first_answer(self, path: str) -> int:
        """The status of `path` once the server answers: one request that waits in the listening socket's queue."""
        try:
            return ask(self.base_url, "GET", path)[0]
        except OSError as error:
            raise ServerFailed(f"GET {path} failed ({error}): {self._log_end()}") from error

    def admin(self, *arguments: str) -> str:
        """What `folkmoot admin …` prints. Raises ServerFailed."""
        command = [*_folkmoot(), "admin", "--data", str(self.data), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=_environment(), check=False)
        if done.returncode != 0:
            raise ServerFailed(f"folkmoot admin {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def call(self, method: str, path: str, token: str, body: object = None) -> dict[str, Any]:
        """The JSON that the API answers to an account. Raises ServerFailed for an error."""
        encoded = None if body is None else msgspec.json.encode(body)
        status, answer = ask(self.base_url, method, path, encoded, "application/json", token)
        if status >= 300:
            raise ServerFailed(f"{method} {path} answered {status}: {answer.decode()}")
        return msgspec.json.decode(answer, type=dict[str, Any])

    def stop(self) -> None:
        """SIGTERM; SIGKILL if that isn't enough."""
        self._process.terminate()
        try:
            self._process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _log_end(self) -> str:
        return self._log.read_text()[-2000:]


@contextmanager
def running_server(folder: Path, **settings: str) -> Iterator[Server]:
    """Start a server in `folder`, which gets its data and its log, with these settings; stop it at the end.

    Yields as soon as it has said its address.
    """
    server = Server(folder / "data", folder / "server.log", settings)
    try:
        server.wait_for_address()
        yield server
    finally:
        server.stop()


def _folkmoot() -> list[str]:
    return [sys.executable, "-m", "folkmoot"]


def _environment() -> dict[str, str]:
    """Without the operator's own settings: benches compare only if they measure the same server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("FOLKMOOT_")}
