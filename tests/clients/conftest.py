"""A server with two people on it, for clients that others wrote."""

from collections.abc import Iterator

import pytest
from tests.clients.signing_in import password_of
from tests.support.server import Server, running_server

PEOPLE = ("ana", "ben")


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("clients") / "data") as running:
        for name in PEOPLE:
            running.admin("create", name, "--password", password_of(name))
        yield running
