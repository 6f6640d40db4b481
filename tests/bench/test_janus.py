"""Janus as a peer: started until it answers."""

import os
import sys
from pathlib import Path

import pytest

from folkmoot.bench.janus import _running
from folkmoot.bench.load import StageFailed

# Finds no transport at its first starts, as Janus does now and then; the last has a socket that nobody serves.
JANUS = """#!%s -IS
import socket, sys
from pathlib import Path
folder = Path(sys.argv[2])
with (folder / "starts").open("a") as starts:
    starts.write("x")
    count = starts.tell()
print("the reason" + 1_000 * ".")
listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
listening.bind(str(folder / "api.sock"))
listening.listen()
if count < %d:
    listening.accept()
    (folder / "api.sock").unlink()
    sys.exit("No Janus API transport is available")
while True:
    asking = listening.accept()[0]
    asking.recv(1_000)
    asking.send(b"{}")
"""


def janus(folder: Path, starts_at: int) -> str:
    program = folder / "janus"
    program.write_text(JANUS % (sys.executable, starts_at))
    program.chmod(0o700)
    return str(program)


def test_it_is_started_until_it_answers(tmp_path: Path) -> None:
    with _running(janus(tmp_path, 3), tmp_path) as (pid, path):
        assert path.exists()
        assert (tmp_path / "starts").read_text() == "xxx"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_where_it_never_does_what_it_said_is_told(tmp_path: Path) -> None:
    with pytest.raises(StageFailed, match=r"the reason\.+\nNo Janus API transport"):
        _running(janus(tmp_path, 100), tmp_path).__enter__()
    assert (tmp_path / "starts").read_text() == 10 * "x"
