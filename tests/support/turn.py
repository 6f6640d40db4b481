"""Debian's coturn on the loopback, set up as docs/networks.md says."""

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.server import eventually
from tests.support.waiting import PATIENCE_S

SECRET = "put-a-long-random-text-here"
_TRIES = 3


class TurnServer:
    """A running coturn: `url` for ice_servers."""

    def __init__(self, address: str, port: int, log: Path) -> None:
        self.url = f"turn:{f'[{address}]' if ':' in address else address}:{port}"
        self.address = (address, port)
        self.log = log


@contextmanager
def running_turn(directory: Path, address: str = "127.0.0.1") -> Iterator[TurnServer]:
    """Starts coturn at an address of the loopback, and waits until it answers."""
    for _ in range(_TRIES):
        # It can't be asked for any free port, so another program may take this one first.
        server = TurnServer(address, _free_port(address), directory / "turn.log")
        process = subprocess.Popen(_command(server, directory), stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        try:
            if _is_up(process, server):
                yield server
                return
        finally:
            process.terminate()
            process.wait(PATIENCE_S)
    raise AssertionError(server.log.read_text()[-2000:])


def _is_up(process: "subprocess.Popen[bytes]", server: TurnServer) -> bool:
    """Whether it answers; False if it has given up."""
    eventually(lambda: process.poll() is not None or _listens(server), what="coturn")
    return process.poll() is None


def documented() -> str:
    """The configuration that docs/networks.md tells operators to write."""
    page = (Path(__file__).parents[2] / "docs/networks.md").read_text()
    found = re.search(r"^```\n(listening-port=.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def _command(server: TurnServer, directory: Path) -> list[str]:
    program = shutil.which("turnserver")
    assert program is not None, "coturn is missing: run scripts/install-system-packages"
    address, port = server.address
    configuration = directory / "turnserver.conf"
    configuration.write_text(documented())
    return [
        program,
        "-c",
        str(configuration),
        f"--listening-ip={address}",
        f"--listening-port={port}",
        f"--relay-ip={address}",
        "--allow-loopback-peers",
        "--no-tls",
        "--no-dtls",
        "--simple-log",
        f"--log-file={server.log}",
        f"--pidfile={directory / 'turn.pid'}",
        f"--userdb={directory / 'turn.db'}",
    ]


def _free_port(address: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def _listens(server: TurnServer) -> bool:
    """It takes TCP at the same port, which can be seen from outside."""
    try:
        socket.create_connection(server.address, 5).close()
    except OSError:
        return False
    return True
