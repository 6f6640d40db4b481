"""A server that may open few files: those who only connect take none that others need."""

import shlex
import socket
import sys
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from tests.support.certificates import Authority
from tests.support.server import running_server
from tests.support.waiting import PATIENCE_S

pytestmark = pytest.mark.slow
FILES_MAX = 400


@pytest.mark.parametrize("is_https", [False, True])
def test_a_crowd_that_says_nothing_keeps_nobody_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_https: bool
) -> None:
    python, authority = tmp_path / "python", Authority(tmp_path)
    python.write_text(f'#!/bin/sh\nulimit -n {FILES_MAX}\nexec {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    chain, key = map(str, authority.issue()) if is_https else ("", "")
    with (
        running_server(tmp_path / "data", tls_certificate=chain, tls_key=key) as server,
        ExitStack() as stack,
    ):
        web = server.child("web").pid
        port = httpx.URL(server.base_url).port or 0
        context = authority.client()
        for _ in range(FILES_MAX + 50):
            connection = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
            if is_https:
                connection = context.wrap_socket(connection, server_hostname="localhost")
            stack.enter_context(connection)
        for _ in range(FILES_MAX // 2):  # over HTTPS these stay in their handshake
            stack.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE_S))
        with server.client() as client:
            for _ in range(3):
                assert client.get("/api/v2/instance").status_code == 200
        assert server.child("web").pid == web
