"""What a process that reads a stranger's file can't do, tried from inside."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec

TRIES = """
import json, os, socket, sys
from pathlib import Path
from folkmoot.media import confinement
from folkmoot.media.confinement import Bounds
confinement.die_with(int(sys.argv[1]))
left = confinement.leave_network()
confinement.bound(Bounds(memory_bytes=800_000_000, cpu_s=5, file_bytes=1000))
in_force = confinement.confine(Path.cwd())

def fails(work):
    try:
        work()
    except (OSError, MemoryError):
        return True
    return False

import threading
started = threading.Thread(target=lambda: None)
started.start()
Path("own").write_bytes(b"x")
print(json.dumps({
    "in_force": ["namespaces"] * left + in_force,
    "failed": [name for name, work in {
        "secret": lambda: Path(sys.argv[2]).read_bytes(),
        "outside": lambda: Path(sys.argv[2]).with_name("new").write_bytes(b"x"),
        "socket": lambda: socket.create_connection(("127.0.0.1", 9)),
        "fork": os.fork,
        "exec": lambda: os.execv("/bin/true", ["true"]),
        "kill": lambda: os.kill(os.getppid(), 0),
        "memory": lambda: bytearray(1_000_000_000),
        "large file": lambda: Path("large").write_bytes(bytes(2000)),
    }.items() if fails(work)],
}))
"""


def test_there_is_no_way_out(tmp_path: Path) -> None:
    secret, inside = tmp_path / "secret", tmp_path / "inside"
    secret.write_bytes(b"a key")
    inside.mkdir()
    said = subprocess.run(
        [sys.executable, "-I", "-c", TRIES, str(os.getpid()), str(secret)], cwd=inside, capture_output=True
    )
    assert said.returncode == 0, said.stderr.decode()
    found = msgspec.json.decode(said.stdout)
    expected = {"memory", "large file"}
    # Where a kernel or a container has less, what it has holds.
    if "seccomp" in found["in_force"]:
        expected |= {"socket", "fork", "exec", "kill"}
    if "landlock" in found["in_force"]:
        expected |= {"secret", "outside", "exec"}
    assert "seccomp" in found["in_force"]
    assert set(found["failed"]) >= expected
