"""The supervisor: what can't be started is tried again, what doesn't stop is killed."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from tests.support.files import no_file_left
from tests.support.server import eventually

from folkmoot.serve.children import Known
from folkmoot.serve.ports import PortShares
from folkmoot.serve.reload import Handed, Rehearsal
from folkmoot.serve.supervisor import Supervisor, heartbeat, want_stages

_STUBBORN = """
import os, signal, sys, time
from collections.abc import Callable
from pathlib import Path
from folkmoot.serve import children, logs, supervisor
from folkmoot.serve.children import Known
from folkmoot.serve.ports import PortShares
from folkmoot.serve.reload import Handed

logs.configure("error")
children.STAGE_STOPS_WITHIN_S = supervisor.STOP_WITHIN_S = 0.3

def stage(space_id, ports):
    def main():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print(os.getpid(), flush=True)
        time.sleep(60)
    return main

handed = Handed(data="", database_url="", lock=0, listening={})
raise SystemExit(supervisor.Supervisor(Path(sys.argv[1]), {}, stage, PortShares(None), handed).run())
"""


def nothing() -> None:
    """What a process does that no test starts."""


def test_without_room_for_a_process_it_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", no_room)
    handed = Handed(data="", database_url="", lock=0, listening={})
    supervisor = Supervisor(tmp_path, {"web": nothing}, lambda *_: nothing, PortShares(None), handed)
    child = supervisor.children["web"]
    supervisor._look()
    supervisor._look()
    assert child.pid is None
    assert child.due_s > time.monotonic()


def test_what_is_told_to_stop_becomes_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rehearsal that ends well while the server stops: its end would have started everything anew."""
    monkeypatch.setattr(sys, "orig_argv", ["python", "-c", "pass"])
    became: list[Handed] = []
    monkeypatch.setattr("folkmoot.serve.supervisor.become", became.append)
    with (tmp_path / "lock").open("w") as lock:  # not 0, which children would lack from then on
        handed = Handed(data="", database_url="", lock=lock.fileno(), listening={})
        supervisor = Supervisor(tmp_path, {}, lambda *_: nothing, PortShares(None), handed)
        for stopping in (False, True):
            supervisor._stopping = stopping
            rehearsal = Rehearsal(handed)
            supervisor._rehearsed(rehearsal, os.waitstatus_to_exitcode(os.waitpid(rehearsal.pid, 0)[1]))
    assert len(became) == 1
    assert os.get_inheritable(0)


def test_a_generation_counts_when_its_web_got_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Web processes of neighbouring generations run beside each other, and must not make the same ids."""
    became: list[Handed] = []
    monkeypatch.setattr("folkmoot.serve.supervisor.become", became.append)
    handed = Handed(data="", database_url="", lock=0, listening={}, generation=5)
    supervisor = Supervisor(tmp_path, {"web": nothing}, lambda *_: nothing, PortShares(None), handed)
    supervisor.children.take_over([Known("web", 2, 0.0)], 0.0)
    supervisor._become_next()
    supervisor.children.ready("web", 1.0)
    supervisor.children.exited(2, 0, 2.0)
    supervisor._become_next()
    assert [(each.generation, [known.pid for known in each.children]) for each in became] == [(5, [2]), (6, [])]


_TOLD = """
import os, signal, sys
from folkmoot.serve.reload import HEARD_LATER, Handed, become
if len(sys.argv) > 1:
    os.kill(os.getpid(), signal.SIGTERM)  # before anybody has a handler
    signal.signal(signal.SIGTERM, lambda *_: print("heard", flush=True))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HEARD_LATER)
else:
    sys.orig_argv.append("again")
    become(Handed(data="", database_url="", lock=2, listening={}))
"""


def test_who_stops_the_server_while_it_becomes_another_is_heard() -> None:
    done = subprocess.run([sys.executable, "-c", _TOLD], capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout) == (0, "heard\n"), done.stderr


def test_a_stage_that_does_not_stop_is_killed_and_starts_anew_when_wanted(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", _STUBBORN, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        eventually((tmp_path / "supervisor.sock").exists)
        want_stages(tmp_path, [7])
        first = int(process.stdout.readline())
        os.kill(first, signal.SIGSTOP)
        want_stages(tmp_path, [])
        eventually(lambda: not _is_there(first), what="the end of a stopped stage")
        want_stages(tmp_path, [7])
        second = int(process.stdout.readline())
        assert second != first
        os.kill(second, signal.SIGSTOP)
        want_stages(tmp_path, [7], wedged=[7])
        assert int(process.stdout.readline()) not in (first, second)
    finally:
        process.terminate()
        process.wait(15)
        process.stdout.close()  # type: ignore[union-attr]


_WATCHED = """
import os, sys, time
from pathlib import Path
from folkmoot.serve import logs, supervisor
from folkmoot.serve.ports import PortShares
from folkmoot.serve.reload import Handed

logs.configure("error")
supervisor.LOOK_EVERY_S = 0.1
run = Path(sys.argv[1])

def main():
    print(os.getpid(), flush=True)
    beat = supervisor.heartbeat(run)
    while True:
        beat()
        time.sleep(0.02)

handed = Handed(data="", database_url="", lock=0, listening={})
raise SystemExit(supervisor.Supervisor(run, {"audience-0": main}, None, PortShares(None), handed).run())
"""


def test_who_says_nothing_any_more_is_killed_and_starts_anew(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", _WATCHED, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        first = int(process.stdout.readline())
        eventually(lambda: (tmp_path / "supervisor.sock").exists())
        # It has to have been heard: who starts has more time.
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)
        os.kill(first, signal.SIGSTOP)
        assert int(process.stdout.readline()) != first
        assert not _is_there(first)
    finally:
        process.terminate()
        process.wait(15)
        process.stdout.close()  # type: ignore[union-attr]


def test_that_one_is_there_can_be_said_without_a_free_file_and_never_fails(tmp_path: Path) -> None:
    beat = heartbeat(tmp_path)
    beat()
    for _ in range(2):  # one supervisor after another has the same address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hearing:
            (tmp_path / "supervisor.sock").unlink(missing_ok=True)
            hearing.bind(str(tmp_path / "supervisor.sock"))
            hearing.setblocking(False)
            with no_file_left():
                beat()
            assert msgspec.json.decode(hearing.recv(1000)) == {"type": "alive", "pid": os.getpid()}
        beat()
    (tmp_path / "supervisor.sock").unlink()
    (tmp_path / "supervisor.sock").mkdir()
    beat()


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
