"""Requests for `bench api`: a C program (`native/api_load.c`), and the floor that answers the same bytes."""

import itertools
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
import uvloop

from folkmoot.bench.load import forked

_SLACK_S = 30.0
_runs = itertools.count(1)


class ApiFailed(Exception):
    """It could not be measured. The message is a sentence."""


class Answered(msgspec.Struct, frozen=True):
    """What clients noted. `failed` were answered with something else than 200."""

    answered: int
    failed: int
    bytes: int
    seconds: float
    p50_ms: float
    p99_ms: float
    cpu_s: float  # of the generator

    @property
    def per_s(self) -> float:
        return self.answered / self.seconds

    @property
    def generator_cores(self) -> float:
        return self.cpu_s / (1.1 * self.seconds)


def asked(program: Path, port: int, path: str, tokens: Sequence[str], *, clients: int, seconds: int) -> Answered:
    """Have clients ask for a path as fast as they are answered. Raises ApiFailed."""
    done = subprocess.run(
        [str(program), str(port), str(clients), str(seconds), path, str(next(_runs))],
        input="\n".join(tokens),
        capture_output=True,
        text=True,
        timeout=seconds + _SLACK_S,
        check=False,
    )
    if done.returncode != 0:
        raise ApiFailed(f"The load generator failed: {done.stderr.strip()}")
    found = msgspec.json.decode(done.stdout, type=Answered)
    if found.failed or not found.answered:
        raise ApiFailed(f"{found.failed} requests for {path} failed, {found.answered} were answered.")
    return found


@contextmanager
def floor(body: bytes) -> Iterator[int]:
    """A server that does nothing but answer these bytes, by uvicorn as ours; its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listening:
        port = int(listening.getsockname()[1])
        with forked(partial(_answer, body, listening)):
            yield port


def _answer(body: bytes, listening: socket.socket) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def serve() -> None:
        config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, server_header=False)
        await uvicorn.Server(config).serve(sockets=[listening])

    uvloop.run(serve())
