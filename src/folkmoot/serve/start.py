"""`folkmoot serve`: prepares the data directory and the database, binds the address, and supervises."""

import errno
import fcntl
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TextIO

from folkmoot.serve import logs
from folkmoot.serve.children import WEB, WORKER, Known
from folkmoot.serve.places import Places, places
from folkmoot.serve.ports import PortShares
from folkmoot.serve.prepare import bring_up_to_date, folders, prepare
from folkmoot.serve.reload import Handed, require_the_same_place, take_handed
from folkmoot.serve.supervisor import Supervisor
from folkmoot.settings import NotThereYet, Settings, SettingsError, audience_workers, udp_ports

DEFAULT_PORT = 8000
PORTS_TRIED = 50
LOCKED_MAX_S = 5.0
# At most so much of what is written to a slow client waits in the kernel, where nobody but a reset gets at it. By
# itself that takes megabytes, minutes of sound. The option is in tcp(7), and in Python from 3.12 on.
TCP_NOTSENT_LOWAT = 25
UNSENT_BYTES_MAX = 128 * 1024


def serve(settings: Settings) -> int:
    """Run the server until SIGTERM; returns the exit code. Raises SettingsError if it cannot start.

    The process may be a supervisor already, which has become this program (`reload.py`), or its rehearsal.
    """
    # Read before numpy is: its threads would not survive the fork, and nothing here multiplies matrices.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # From here on, until it is heard: what it does by itself is end the process.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
    before = take_handed()
    logs.configure(settings.log)
    where = prepare(settings) if before is None else _prepare_in_place(settings, before)
    lock = only_one(where) if before is None else os.fdopen(before.lock, "a")
    listening = _listening(settings, before)
    port = listening.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    scheme = "https" if settings.tls_certificate else "http"
    base_url = settings.base_url or f"{scheme}://{'localhost' if _is_loopback(settings.host) else host}:{port}"
    if before is not None and before.is_rehearsal:
        _rehearse(settings, where, base_url)
        return 0
    with lock:
        if before is None:
            (where.run / "reloaded").unlink(missing_ok=True)  # of another server; who asked for a reload reads it
        handed = Handed(
            data=str(where.data),
            database_url=where.database_url,
            lock=lock.fileno(),
            listening={settings.host: listening.fileno()},
            reloads=before.reloads if before else 0,
            generation=before.generation if before else 0,
        )
        supervisor = _supervisor(settings, where, base_url, listening, handed, before.children if before else [])
        if before is None:
            # Imported late, like all that holds numpy or may.
            from folkmoot.serve.first import announce

            announce(where.database_url, base_url, sys.stdout)
        else:
            supervisor.take_over(before)
        return supervisor.run()


def _prepare_in_place(settings: Settings, before: Handed) -> Places:
    """The folders are there, and what they are can't change. A rehearsal leaves the database alone for now."""
    require_the_same_place(before, places(settings).data, places(settings).database_url)
    return folders(settings) if before.is_rehearsal else prepare(settings)


def _listening(settings: Settings, before: Handed | None) -> socket.socket:
    """The socket that is open, if it is the one that the settings ask for; else a new one."""
    for host, descriptor in before.listening.items() if before else ():
        listening = socket.socket(fileno=descriptor)
        if host == settings.host and settings.port in (None, 0, listening.getsockname()[1]):
            return listening
        listening.close()  # or whoever connects there would wait for an answer
    return bind(settings.host, settings.port)


def _rehearse(settings: Settings, where: Places, base_url: str) -> None:
    """What could fail in the processes that a start would begin: their imports, what web is made of, and last the
    migrations: what fails before them has changed nothing for those who run."""
    from folkmoot.serve import audience, stage, web, worker  # noqa: F401

    web.rehearse(settings, where, base_url)
    bring_up_to_date(where)


def only_one(where: Places) -> TextIO:
    """The lock on the data directory, held while it is open. Raises SettingsError if another server has it.

    It holds the number of the process. The processes of a server that was killed hold it for the moment that they
    need to notice: that is waited for.
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
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
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
            # While a machine starts, its addresses come one by one.
            kind = NotThereYet if error.errno == errno.EADDRNOTAVAIL else SettingsError
            reason = error.strerror
        else:
            listening.listen(2048)
            return listening
    raise kind(f"Can't listen on {host}, port {port}: {reason}. Choose another with --port.")


def _supervisor(
    settings: Settings,
    where: Places,
    base_url: str,
    listening: socket.socket,
    handed: Handed,
    running: Sequence[Known],
) -> Supervisor:
    # Imported here, once, before the fork: the children share this memory.
    from folkmoot.serve import audience, mail, stage, web, worker

    def without_address(main: Callable[..., None], *arguments: object) -> Callable[[], None]:
        """Only the web process keeps the listening socket: it must be gone when nobody answers on it."""

        def run() -> None:
            listening.close()
            main(*arguments)

        return run

    before, workers = _set_aside(where, running), audience_workers(settings)
    # Audience first: they begin to fetch listeners while web is still starting.
    kept: dict[str, Callable[[], None]] = {
        f"audience-{n}": without_address(audience.main, where, n, before[n::workers]) for n in range(workers)
    }
    kept[WEB] = partial(web.main, settings, where, base_url, listening, handed.generation)
    kept[WORKER] = without_address(worker.main, where, base_url, mail.mailer(settings))

    def stage_main(space_id: int, ports: range | None) -> Callable[[], None]:
        return without_address(stage.main, settings, where, space_id, ports)

    return Supervisor(where.run, kept, stage_main, PortShares(udp_ports(settings)), handed)


def _set_aside(where: Places, running: Sequence[Known]) -> list[Path]:
    """Give the sockets of audience processes that are replaced another name; the new ones connect to that."""
    for stale in where.run.glob("audience-*.*.sock"):
        stale.unlink()
    aside = []
    for each in running:
        path = where.run / f"{each.name}.sock"
        if each.name.startswith("audience-") and path.exists():
            aside.append(path.rename(where.run / f"{each.name}.{each.pid}.sock"))
    return aside


def _is_loopback(host: str) -> bool:
    return host in ("127.0.0.1", "localhost", "::1")
