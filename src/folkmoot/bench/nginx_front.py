"""The real nginx in front of all of a server, with HTTPS and the configuration that operators are given."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from folkmoot.bench.processes import tree

DEPLOY = Path(__file__).parents[3] / "deploy" / "nginx"
_STARTS_WITHIN_S = 10.0
_WHOLE = "nginx.conf"


class FrontFailed(Exception):
    """It could not be started. The message is a sentence."""


class Front:
    """A running nginx. Made by `nginx_front`."""

    def __init__(self, port: int, plain_port: int, process: "subprocess.Popen[bytes]", folder: Path) -> None:
        self.port = port
        self.plain_port = plain_port
        self._process = process
        self._folder = folder

    def pids(self) -> list[int]:
        """The master and its workers."""
        return tree(self._process.pid)

    def errors(self) -> str:
        """What it has logged."""
        return (self._folder / "error.log").read_text()


@contextmanager
def nginx_front(folder: Path, origin: str, chain: Path, key: Path, workers: int) -> Iterator[Front]:
    """nginx on free ports of 127.0.0.1, as `deploy/nginx/nginx.conf` has it, in front of the server at `origin`.

    Raises FrontFailed.
    """
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None or not DEPLOY.is_dir():
        raise FrontFailed("This needs nginx (scripts/install-system-packages) and Folkmoot's source with deploy/.")
    port, plain_port = _free_port(), _free_port()
    (folder / "cache").mkdir(parents=True)
    for file in DEPLOY.glob("*.conf"):
        (folder / file.name).write_text(_here(file.name, file.read_text(), folder, origin, port, plain_port))
    text = (folder / _WHOLE).read_text()
    for before, after in {
        "/etc/letsencrypt/live/moot.example/fullchain.pem": str(chain),
        "/etc/letsencrypt/live/moot.example/privkey.pem": str(key),
        "worker_processes auto": f"worker_processes {workers}",
        "user www-data;": "user root;" if os.geteuid() == 0 else "",
        "worker_connections 50000": "worker_connections 20000",
        "moot.example": "localhost",
    }.items():
        text = _replaced(text, before, after)
    (folder / _WHOLE).write_text(text)
    process = subprocess.Popen(
        [program, "-c", str(folder / _WHOLE), "-e", str(folder / "error.log"), "-g", "daemon off;"],
        stderr=subprocess.PIPE,
    )
    try:
        _wait_for(port, process)
        yield Front(port, plain_port, process, folder)
    finally:
        process.terminate()
        process.communicate()


def _here(name: str, text: str, folder: Path, origin: str, port: int, plain_port: int) -> str:
    """A file of the configuration with this place's ports and folders."""
    text = text.replace("127.0.0.1:8000", origin).replace("/var/cache/folkmoot-hls", str(folder / "cache"))
    if name != _WHOLE:
        return text
    ours = (
        f"client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;"
    )
    for before, after in {
        "listen 443": f"listen 127.0.0.1:{port}",
        "listen 80": f"listen 127.0.0.1:{plain_port}",
        "listen [::]:443 ssl reuseport backlog=4096;": "",
        "listen [::]:80 backlog=4096;": "",
        "include /etc/nginx/mime.types;": f"{ours} uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;",
        "include /etc/nginx/": f"include {folder}/",
        "/run/nginx.pid": f"{folder}/nginx.pid",
        "/var/log/nginx/error.log crit": f"{folder}/error.log warn",
    }.items():
        text = _replaced(text, before, after)
    return text


def _replaced(text: str, before: str, after: str) -> str:
    assert before in text, f"{_WHOLE} has no “{before}” any more"
    return text.replace(before, after)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    give_up_s = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < give_up_s:
        if process.poll() is not None:
            raise FrontFailed(f"nginx ended: {process.communicate()[1].decode()[-500:]}")
        with socket.socket() as trying:
            if trying.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise FrontFailed("nginx did not answer in time.")
