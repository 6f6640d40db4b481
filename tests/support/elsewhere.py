"""Another server, on loopback: a real one, which answers as it is told."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec


class Said(msgspec.Struct):
    """An answer. `length`: what is said of the content's, if that is another."""

    content: bytes = b""
    status: int = 200
    location: str = ""
    length: int | None = None
    endless: bool = False


class Elsewhere:
    """`answers` by path; `asked` for in this order."""

    def __init__(self, port: int) -> None:
        self.answers: dict[str, Said] = {}
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{port}"


@contextmanager
def elsewhere() -> Iterator[Elsewhere]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            other.asked.append(self.path)
            said = other.answers.get(self.path, Said(status=404))
            self.send_response(said.status)
            if said.location:
                self.send_header("Location", said.location)
            if not said.endless:
                self.send_header("Content-Length", str(len(said.content) if said.length is None else said.length))
            self.end_headers()
            try:
                self.wfile.write(said.content)
                while said.endless:
                    self.wfile.write(bytes(10_000))
            except OSError:
                pass  # whoever asked has had enough

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    other = Elsewhere(server.server_port)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    try:
        yield other
    finally:
        server.shutdown()
        server.server_close()
        serving.join()
