"""masto.js and megalodon, on which web and phone clients are built: each signs in by OAuth and lives a day."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.clients.signing_in import let_in
from tests.support.server import Server

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent


@pytest.mark.parametrize("client", ["masto", "megalodon"])
def test_a_day(server: Server, client: str) -> None:
    node = shutil.which("node")
    assert node is not None, "the README says which Node.js is needed"
    command = [node, str(HERE / f"{client}.mjs"), server.base_url]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as day:
        assert day.stdin is not None
        assert day.stdout is not None
        assert day.stderr is not None
        said = {}
        for line in day.stdout:
            said = json.loads(line)
            if "address" in said:
                day.stdin.write(let_in(server.base_url, said["username"], said["address"]) + "\n")
                day.stdin.flush()
        wrong = day.stderr.read()
    assert day.returncode == 0, wrong
    assert "done" in said, wrong
