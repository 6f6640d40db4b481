"""An S3 server for tests: moto's, in a thread. It keeps what was put while it is away."""

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from moto.server import ThreadedMotoServer
from tests.support.waiting import PATIENCE_S

BUCKET = "moot"
_HOST = "127.0.0.1"


class S3Server:
    """One bucket."""

    def __init__(self) -> None:
        # The lines of each request are for people who debug it.
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        with socket.create_server((_HOST, 0)) as free:
            self._port = free.getsockname()[1]
        self.url = f"http://{_HOST}:{self._port}"
        self.start()
        assert httpx.put(f"{self.url}/{BUCKET}", timeout=PATIENCE_S).status_code == 200

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to use it."""
        return {
            "AWS_ENDPOINT": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_ALLOW_HTTP": "true",
        }

    def start(self) -> None:
        self._server = ThreadedMotoServer(ip_address=_HOST, port=self._port, verbose=False)
        self._server.start()

    def stop(self) -> None:
        self._server.stop()

    @contextmanager
    def away(self) -> Iterator[None]:
        """It can't be reached meanwhile, and comes back at the same address."""
        self.stop()
        try:
            yield
        finally:
            self.start()
