"""What `bench audience` measures: the web server's door with its hand-over, and the audience workers.

Runs as a process tree of its own: `python -m folkmoot.bench.audience_door CONFIG`, where CONFIG is a `HouseConfig`
as JSON. Who asks is let in without a database; everything else is the product's own. Says its port on stdout, and
answers each line on stdin with a `HouseReport`.
"""

import asyncio
import ctypes
import gc
import os
import resource
import signal
import socket
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
import uvloop

from folkmoot.audience.certificates import Certificate
from folkmoot.audience.door import Door, listen_protocol
from folkmoot.audience.entrance import Entrance, wider
from folkmoot.audience.handoff import Handoff
from folkmoot.audience.redirect import redirect_protocol
from folkmoot.audience.request import Admission, ListenRefusal, ListenRequest
from folkmoot.audience.tls import keep_secret, tls_protocol
from folkmoot.audience.worker import WorkerConfig, run_worker
from folkmoot.surfaces.addresses import ClientAddresses

_PR_SET_PDEATHSIG = 1


class HouseConfig(msgspec.Struct, frozen=True):
    """`write_ms` is how much sound goes into one write. With a certificate and its key it speaks HTTPS."""

    run: str
    tapes: str
    workers: int
    write_ms: int
    certificate: str = ""
    key: str = ""


class HouseReport(msgspec.Struct, frozen=True):
    """Totals of all workers: `fanout.Metrics`, and how late ticks were (`fanout.LATENESS_MS`)."""

    connected: int
    metrics: dict[str, int]
    lateness: list[int]


class _NothingRevoked:
    """A RevocationSource: no gate stands behind this house."""

    def poll(self) -> Mapping[str, int]:
        return {}

    def fileno(self) -> int | None:
        return None

    def compare(self, subjects: Collection[str]) -> None:
        """Nothing to compare with."""


class _House:
    """The web process."""

    def __init__(self, config: HouseConfig) -> None:
        self._config = config
        self._handoff = Handoff(worker_sockets(config))

    async def run(self) -> None:
        # Behind a proxy here the limit of joins is for each listener's own address, too.
        door = Door(_admit, self._handoff, client_address=ClientAddresses(["127.0.0.0/8"]))
        server = uvicorn.Server(
            uvicorn.Config(
                _nothing_here,
                http=self._protocol(door),
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
            )
        )
        listening = socket.create_server(("127.0.0.1", 0), backlog=2048)
        self._handoff.start()
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), self._answer)
        print(listening.getsockname()[1], flush=True)
        await server.serve(sockets=wider(listening))

    def _protocol(self, door: Door) -> type[Any]:
        if not self._config.certificate:
            return listen_protocol(door)
        certificate = Certificate(Path(self._config.certificate), Path(self._config.key), keep_secret)
        plain = redirect_protocol(door, "https://localhost")
        return tls_protocol(lambda: certificate.context, Entrance(), listen_protocol(door), plain)

    def _answer(self) -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            os.kill(os.getpid(), signal.SIGTERM)
            return
        reports = self._handoff.reports()
        report = HouseReport(
            connected=sum(report.connected for report in reports),
            metrics={
                name: sum(report.metrics[name] for report in reports)
                for name in (reports[0].metrics if reports else ())
            },
            lateness=[sum(column) for column in zip(*(report.lateness for report in reports), strict=True)],
        )
        print(msgspec.json.encode(report).decode(), flush=True)


def worker_sockets(config: HouseConfig) -> list[Path]:
    """Where the workers listen for sockets."""
    return [Path(config.run) / f"audience-{number}.sock" for number in range(config.workers)]


def main(config: HouseConfig) -> None:
    """Forks the workers, as the product's supervisor does, and runs the web process."""
    gc.collect()
    gc.freeze()
    for path in worker_sockets(config):
        if os.fork() == 0:
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            worker = WorkerConfig(path, Path(config.tapes))
            run_worker(worker, _NothingRevoked(), choose_window_ms=lambda _load: config.write_ms)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    uvloop.run(_House(config).run())


async def _admit(request: ListenRequest) -> Admission | ListenRefusal:
    return Admission(request.space_id, request.form, ((f"space:{request.space_id}", 0),))


async def _nothing_here(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})


if __name__ == "__main__":
    main(msgspec.json.decode(sys.argv[1], type=HouseConfig))
