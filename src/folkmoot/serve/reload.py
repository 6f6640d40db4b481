"""Reload: a supervisor becomes another program in the same process, and what runs goes on.

`SIGHUP` has the command that started the server run once more as a rehearsal, which does all that a start does and
ends before it would start anything: settings, imports, addresses, certificates, and last the migrations, which
therefore have to suit the version before, too. If it fails, nothing has happened. Otherwise the supervisor executes
the command in its own place (`execve`): the process stays the same for who supervises it, its children stay its
children, the lock and the listening sockets stay open. The new one knows of them by a variable of the environment.
"""

import fcntl
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from folkmoot.serve.children import Known
from folkmoot.settings import SettingsError

VARIABLE = "HANDED_TO_FOLKMOOT"
REHEARSE_WITHIN_S = 60.0
REHEARSAL_NICE = 10  # it takes seconds of a core, which who listens and speaks need more
ANSWER_WITHIN_S = 150.0  # one may have to wait for the end of another
HEARD_LATER = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)
_SAID_BYTES_MAX = 16 * 1024
_REASON_CHARACTERS_MAX = 400


class Handed(msgspec.Struct, frozen=True):
    """What a supervisor leaves to the one that takes its place.

    `listening` holds, for each address that was asked for, the descriptors of its sockets; `lock` is the descriptor
    of the lock. `reloads` counts those that were asked for since the server started.
    """

    data: str
    database_url: str
    lock: int
    listening: dict[str, int]
    reloads: int = 0
    generation: int = 0
    children: list[Known] = []
    is_rehearsal: bool = False

    def descriptors(self) -> list[int]:
        return [self.lock, *self.listening.values()]


def take_handed() -> Handed | None:
    """What was left to this process; None if it starts by itself. A second call gives None."""
    left = os.environ.pop(VARIABLE, None)
    if left is None:
        return None
    handed = msgspec.json.decode(left, type=Handed)
    for descriptor in handed.descriptors():
        os.set_inheritable(descriptor, False)
    return handed


def require_the_same_place(handed: Handed, data: Path, database_url: str) -> None:
    """Raises SettingsError: what runs on goes on writing where it does."""
    if str(data) != handed.data:
        raise SettingsError(f"The setting data can't change while the server runs: it is in {handed.data}.")
    if database_url != handed.database_url:
        raise SettingsError("The setting database can't change while the server runs: stop it, and start it anew.")


class Rehearsal:
    """The command of this process, once more, as a process beside it."""

    def __init__(self, handed: Handed) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        for descriptor in handed.descriptors():
            os.set_inheritable(descriptor, True)
        try:
            self.pid = os.posix_spawn(
                sys.executable,
                _command(),
                _environment(msgspec.structs.replace(handed, is_rehearsal=True)),
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                    (os.POSIX_SPAWN_DUP2, self._said.fileno(), 2),
                ],
                setsigmask=[],
            )
        finally:
            for descriptor in handed.descriptors():
                os.set_inheritable(descriptor, False)
        os.setpriority(os.PRIO_PROCESS, self.pid, REHEARSAL_NICE)
        self.kill_due_s = time.monotonic() + REHEARSE_WITHIN_S

    def why_not(self, code: int) -> str | None:
        """Why it failed, in a sentence; None if it didn't."""
        self._said.seek(0)
        said = self._said.read(_SAID_BYTES_MAX).decode(errors="replace").strip().splitlines()
        self._said.close()
        if code == 0:
            return None
        if code == -signal.SIGKILL:
            return f"It took longer than {REHEARSE_WITHIN_S:.0f} s to start."
        return said[-1][:_REASON_CHARACTERS_MAX] if said else f"It ended with exit code {code}."


def become(handed: Handed) -> None:
    """Execute the command in this process's place; returns only by an OSError.

    A signal that comes meanwhile waits for the new one's handler: its default would end the server, with everything
    in it or without.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, HEARD_LATER)
    for descriptor in handed.descriptors():
        os.set_inheritable(descriptor, True)
    try:
        os.execve(sys.executable, _command(), _environment(handed))  # noqa: S606 - what this process was started by
    finally:
        for descriptor in handed.descriptors():
            os.set_inheritable(descriptor, False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HEARD_LATER)


def _command() -> list[str]:
    return [sys.executable, *sys.orig_argv[1:]]


def _environment(handed: Handed) -> Mapping[str, str]:
    return {**os.environ, VARIABLE: msgspec.json.encode(handed).decode()}


# --- for `folkmoot reload`


class Outcome(msgspec.Struct, frozen=True):
    """What became of the newest reload, in `run/reloaded`. `refused`: why nothing has changed."""

    reloads: int
    refused: str | None = None


def write_outcome(run_directory: Path, outcome: Outcome) -> None:
    path = run_directory / "reloaded"
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(outcome))
    fresh.replace(path)


def _read_outcome(run_directory: Path) -> Outcome:
    try:
        return msgspec.json.decode((run_directory / "reloaded").read_bytes(), type=Outcome)
    except (FileNotFoundError, msgspec.MsgspecError):
        return Outcome(0)


def _server(run_directory: Path) -> int:
    """The process that has the lock. Raises SettingsError."""
    try:
        with (run_directory / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return int((run_directory / "lock").read_text())
    except FileNotFoundError:
        pass
    except PermissionError as error:
        raise SettingsError("The server runs as another user: be that one, or root.") from error
    raise SettingsError(f"No server runs with {run_directory}. Is that of the server's data directory?")


def reload_server(run_directory: Path) -> None:
    """Have the server reload, and wait until it did. Raises SettingsError with a sentence if it did not."""
    before = _read_outcome(run_directory)
    os.kill(_server(run_directory), signal.SIGHUP)
    give_up_s = time.monotonic() + ANSWER_WITHIN_S
    while (outcome := _read_outcome(run_directory)).reloads == before.reloads:
        if time.monotonic() > give_up_s:
            raise SettingsError(f"The server has not reloaded within {ANSWER_WITHIN_S:.0f} s: see its log.")
        time.sleep(0.05)
    if outcome.refused is not None:
        raise SettingsError(f"The server goes on as it was. {outcome.refused}")
