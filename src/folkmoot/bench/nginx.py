"""The real nginx in front of a server, with the configuration that operators are given (`deploy/nginx/`)."""

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
_ORIGIN = "127.0.0.1:8000"
_CACHE = "/var/cache/folkmoot-hls"
_CONFIGURATION = """
daemon off;
{user}
worker_processes {workers};
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 20000; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    map $upstream_addr $asked {{ "" 0; default 1; }}
    log_format origin '$upstream_cache_status $status $request_uri';
    access_log {folder}/origin.log origin if=$asked;
    {http}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        {server}
        location / {{ proxy_pass http://folkmoot_hls; }}
    }}
}}
"""


class NginxFailed(Exception):
    """It could not be started. The message is a sentence."""


class Nginx:
    """A running nginx. `origin_log` has a line for each request that it passed on. Made by `hls_cache`."""

    def __init__(self, folder: Path, port: int, process: "subprocess.Popen[bytes]") -> None:
        self.base_url = f"http://127.0.0.1:{port}"
        self.port = port
        self._folder = folder
        self._process = process

    def pids(self) -> list[int]:
        """The master and its workers."""
        return tree(self._process.pid)

    def origin_log(self) -> list[str]:
        """What it has asked the server so far: cache status, status, address."""
        return (self._folder / "origin.log").read_text().splitlines()

    def errors(self) -> str:
        return (self._folder / "error.log").read_text()


@contextmanager
def hls_cache(folder: Path, origin: str, workers: int = 2) -> Iterator[Nginx]:
    """nginx as a cache for HLS, in front of the server at `origin` ("127.0.0.1:8000"). Raises NginxFailed."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None or not DEPLOY.is_dir():
        raise NginxFailed(
            "This needs nginx (scripts/install-system-packages) and Folkmoot's source with deploy/nginx."
        )
    http = _adapted(DEPLOY / "folkmoot-hls-http.conf", {_ORIGIN: origin, _CACHE: str(folder / "cache")})
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    configuration = folder / "nginx.conf"
    text = _CONFIGURATION.format(
        user="user root;" if os.geteuid() == 0 else "",
        workers=workers,
        folder=folder,
        port=port,
        http=http,
        server=(DEPLOY / "folkmoot-hls.conf").read_text(),
    )
    configuration.write_text(text)
    process = subprocess.Popen([program, "-c", str(configuration)], stderr=subprocess.PIPE)
    try:
        _wait_for(port, process)
        yield Nginx(folder, port, process)
    finally:
        process.terminate()
        process.communicate()


def _adapted(file: Path, replaced: dict[str, str]) -> str:
    """A configuration with what has to differ here put in place of what it says."""
    text = file.read_text()
    for before, after in replaced.items():
        assert before in text, f"{file.name} does not name {before} any more"
        text = text.replace(before, after)
    return text


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    give_up_s = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < give_up_s:
        if process.poll() is not None:
            raise NginxFailed(f"nginx ended: {process.communicate()[1].decode()[-500:]}")
        with socket.socket() as trying:
            if trying.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise NginxFailed("nginx did not answer in time.")
