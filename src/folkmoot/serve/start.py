"""`folkmoot serve`: prepares the data directory and the database, binds the address, and supervises."""

import fcntl
import os
import socket
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import TextIO

from folkmoot.serve import logs
from folkmoot.serve.places import Places
from folkmoot.serve.ports import PortShares
from folkmoot.serve.prepare import prepare
from folkmoot.serve.supervisor import Supervisor
from folkmoot.settings import Settings, SettingsError, udp_ports

DEFAULT_PORT = 8000
PORTS_TRIED = 50
LOCKED_MAX_S = 5.0
# At most so much of what is written to a slow client waits in the kernel, where nobody but a reset gets at it. By
# itself that takes megabytes, minutes of sound. The option is in tcp(7), and in Python from 3.12 on.
TCP_NOTSENT_LOWAT = 25
UNSENT_BYTES_MAX = 128 * 1024


def serve(settings: Settings) -> int:
    """Run the server until SIGTERM; returns the exit code. Raises SettingsError if it cannot start."""
    # Read before numpy is: its threads would not survive the fork, and nothing here multiplies matrices.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    logs.configure(settings.log)
    where = prepare(settings)
    lock = only_one(where)
    listening = bind(settings.host, settings.port)
    port = listening.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    base_url = settings.base_url or f"http://{'localhost' if _is_loopback(settings.host) else host}:{port}"
    with lock:
        return _supervisor(settings, where, base_url, listening).run()


def only_one(where: Places) -> TextIO:
    """The lock on the data directory, held while it is open. Raises SettingsError if another server has it.

    The processes of a server that was killed hold it for the moment that they need to notice: that is waited for.
    """
    lock = (where.run / "lock").open("a")
    give_up_s = time.monotonic() + LOCKED_MAX_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > give_up_s:
                raise SettingsError(
                    f"Another Folkmoot runs with the data directory {where.data}. "
                    "Stop it first, or choose another directory with --data."
                ) from error
            time.sleep(0.1)
        else:
            return lock


def bind(host: str, port: int | None) -> socket.socket:
    """A listening socket: of the port asked for, or of the first that is free from 8000 on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    tried = [port] if port is not None else [*range(DEFAULT_PORT, DEFAULT_PORT + PORTS_TRIED), 0]
    for candidate in tried:
        listening = socket.socket(family)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listening.setsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_BYTES_MAX)
        try:
            listening.bind((host, candidate))
        except OSError as error:
            listening.close()
            reason = error.strerror
        else:
            listening.listen(2048)
            return listening
    raise SettingsError(f"Can't listen on {host}, port {port}: {reason}. Choose another with --port.")


def _supervisor(settings: Settings, where: Places, base_url: str, listening: socket.socket) -> Supervisor:
    # Imported here, once, before the fork: the children share this memory.
    from folkmoot.serve import audience, stage, web, worker
    from folkmoot.serve.first import announce

    def without_address(main: Callable[..., None], *arguments: object) -> Callable[[], None]:
        """Only the web process keeps the listening socket: it must be gone when nobody answers on it."""

        def run() -> None:
            listening.close()
            main(*arguments)

        return run

    kept: dict[str, Callable[[], None]] = {"web": partial(web.main, settings, where, base_url, listening)}
    kept |= {f"audience-{n}": without_address(audience.main, where, n) for n in range(settings.audience_workers)}
    kept["worker"] = without_address(worker.main, where, base_url)

    def stage_main(space_id: int, ports: range | None) -> Callable[[], None]:
        return without_address(stage.main, settings, where, space_id, ports)

    return Supervisor(
        where.run,
        kept,
        stage_main,
        PortShares(udp_ports(settings)),
        on_started=lambda: announce(where.database_url, base_url, sys.stdout),
    )


def _is_loopback(host: str) -> bool:
    return host in ("127.0.0.1", "localhost", "::1")
