"""The supervisor: forks what has to run, watches it, restarts what crashes, stops everything on SIGTERM.

It imports what the children need once, before it forks, so that they share that memory; it holds no database, no
thread and no event loop, so that there is little that could end it. Stage processes come and go with live Spaces:
the worker, which reads the database, sends the list of those it wants to `run/supervisor.sock`.
"""

import contextlib
import ctypes
import errno
import gc
import os
import selectors
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import structlog

from folkmoot.serve.ports import NoPortsLeft, PortShares

log = structlog.get_logger()

BACKOFF_FIRST_S = 0.1
BACKOFF_MAX_S = 5.0
STEADY_AFTER_S = 30.0
STOP_WITHIN_S = 8.0
# A stage that is told to stop closes its tape within 3 s; one that is wedged never would.
STAGE_STOPS_WITHIN_S = 3.5
_MESSAGE_BYTES_MAX = 64 * 1024
_PR_SET_NAME = 15
_PR_SET_PDEATHSIG = 1


class Wanted(msgspec.Struct):
    """The worker's list: the Spaces that need a stage process now, and those of them whose stage is wedged."""

    stages: list[int]
    wedged: list[int] = []


class Child:
    """One process that should run: what it does, and how it fared."""

    def __init__(self, name: str, main: Callable[[], None], *, keep: bool) -> None:
        self.name = name
        self.main = main
        # Kept processes come back whatever their exit code; a stage that exits 0 has ended its Space.
        self.keep = keep
        self.pid: int | None = None
        self.started_s = 0.0
        self.backoff_s = 0.0
        self.due_s = 0.0
        # When it is killed, once it was told to stop; after that it is forgotten, not restarted.
        self.kill_due_s: float | None = None

    def failed(self, now_s: float) -> float:
        """Note an exit; returns the seconds until the next start: none if it ran steadily, else more each time."""
        if now_s - self.started_s > STEADY_AFTER_S:
            self.backoff_s = 0.0
        again_in_s = self.backoff_s
        self.due_s = now_s + again_in_s
        self.backoff_s = min(max(self.backoff_s * 2, BACKOFF_FIRST_S), BACKOFF_MAX_S)
        return again_in_s


class Supervisor:
    """Runs until SIGTERM or SIGINT.

    `kept` are started first, in order; `stage` makes the main of one Space's stage process, which has its share of
    `ports` to itself as long as it is wanted.
    """

    def __init__(
        self,
        run_directory: Path,
        kept: dict[str, Callable[[], None]],
        stage: Callable[[int, range | None], Callable[[], None]],
        ports: PortShares,
        on_started: Callable[[], None] = lambda: None,
    ) -> None:
        self._run_directory = run_directory
        self._stage = stage
        self._ports = ports
        self._waiting: set[str] = set()  # stages that no ports were left for
        self._on_started = on_started
        self._children = {name: Child(name, main, keep=True) for name, main in kept.items()}
        self._stopping = False
        self._selector = selectors.DefaultSelector()
        self._control: socket.socket | None = None

    def run(self) -> int:
        """Supervise; returns the exit code once every child is gone."""
        self._prepare()
        self._on_started()
        while not self._stopping:
            self._start_due()
            self._kill_late()
            for key, _ in self._selector.select(self._until_due_s()):
                key.data()
            self._reap()
        return self._stop()

    # --- what it waits for ---

    def _prepare(self) -> None:
        path = self._run_directory / "supervisor.sock"
        path.unlink(missing_ok=True)
        self._control = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._control.bind(str(path))
        self._control.setblocking(False)
        self._selector.register(self._control, selectors.EVENT_READ, self._read_wanted)
        self._wake_read, self._wake_write = socket.socketpair()
        for end in (self._wake_read, self._wake_write):
            end.setblocking(False)
        signal.set_wakeup_fd(self._wake_write.fileno(), warn_on_full_buffer=False)
        self._selector.register(self._wake_read, selectors.EVENT_READ, self._drain_wakeups)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for stop in (signal.SIGTERM, signal.SIGINT):
            signal.signal(stop, self._on_stop_signal)
        gc.collect()
        gc.freeze()

    def _on_stop_signal(self, *_: object) -> None:
        self._stopping = True

    def _drain_wakeups(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._wake_read.recv(4096):
                pass

    def _read_wanted(self) -> None:
        assert self._control is not None
        with contextlib.suppress(BlockingIOError):
            while True:
                message = self._control.recv(_MESSAGE_BYTES_MAX)
                try:
                    wanted = msgspec.json.decode(message, type=Wanted)
                except msgspec.MsgspecError as error:
                    log.warning("supervisor.message_refused", error=str(error))
                else:
                    self._end_wedged(wanted.wedged)
                    self._want(wanted.stages)

    def _end_wedged(self, space_ids: list[int]) -> None:
        """What doesn't answer doesn't heed SIGTERM either; the next one goes on with what it had written."""
        for space_id in space_ids:
            child = self._children.get(f"stage-{space_id}")
            if child is not None and child.pid is not None:
                log.warning("process.killed", process=child.name)
                _signal(child.pid, signal.SIGKILL)

    def _want(self, space_ids: list[int]) -> None:
        """Stages that are missing start now; one that is not wanted is told to stop, and killed if it does not.

        Once told it goes, even if it is wanted again meanwhile: that starts another.
        """
        wanted = {f"stage-{space_id}": space_id for space_id in space_ids}
        self._waiting &= wanted.keys()
        for name, space_id in wanted.items():
            if name not in self._children:
                self._add_stage(name, space_id)
        for name, child in list(self._children.items()):
            if child.keep or name in wanted:
                continue
            if child.pid is None:
                self._forget(name)
            elif child.kill_due_s is None:
                child.kill_due_s = time.monotonic() + STAGE_STOPS_WITHIN_S
                _signal(child.pid, signal.SIGTERM)

    def _add_stage(self, name: str, space_id: int) -> None:
        try:
            ports = self._ports.take(name)
        except NoPortsLeft as error:
            # It is wanted again in half a second: each such stage is said once.
            if name not in self._waiting:
                log.warning("stage.no_udp_ports", process=name, error=str(error))
                self._waiting.add(name)
            return
        self._waiting.discard(name)
        self._children[name] = Child(name, self._stage(space_id, ports), keep=False)

    def _forget(self, name: str) -> None:
        del self._children[name]
        self._ports.give_back(name)

    # --- children ---

    def _start_due(self) -> None:
        now_s = time.monotonic()
        for child in self._children.values():
            if child.pid is None and child.due_s <= now_s:
                self._fork(child)

    def _kill_late(self) -> None:
        """SIGKILL, for what was told to stop and did not: it ends a stopped process too."""
        now_s = time.monotonic()
        for child in self._running():
            if child.pid is not None and child.kill_due_s is not None and child.kill_due_s <= now_s:
                log.warning("process.killed", process=child.name)
                _signal(child.pid, signal.SIGKILL)
                child.kill_due_s = now_s + STAGE_STOPS_WITHIN_S

    def _until_due_s(self) -> float | None:
        due = [child.due_s for child in self._children.values() if child.pid is None]
        due += [child.kill_due_s for child in self._running() if child.kill_due_s is not None]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _fork(self, child: Child) -> None:
        child.started_s = time.monotonic()
        sys.stdout.flush()
        sys.stderr.flush()
        try:
            pid = os.fork()
        except OSError as error:
            # No room for another process: those that run go on, and this one is tried again.
            again_in_s = child.failed(child.started_s)
            log.warning("process.not_started", process=child.name, error=str(error), again_in_s=again_in_s)
            return
        if pid == 0:
            self._become(child)
        child.pid = pid
        log.info("process.started", process=child.name, pid=pid)

    def _become(self, child: Child) -> None:
        """In the forked process: shed what is the supervisor's, run, and leave without its clean-up."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            # Ctrl-C reaches the whole group: the supervisor alone answers it, with SIGTERM in order.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            self._selector.close()
            for end in (self._wake_read, self._wake_write, self._control):
                if end is not None:
                    end.close()
            libc = ctypes.CDLL(None)
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            libc.prctl(_PR_SET_NAME, f"fm-{child.name}"[:15].encode())
            child.main()
            code = 0
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else 1
        except BaseException:
            # The last frame of a process: whatever it was, it is written down.
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._exited(pid, os.waitstatus_to_exitcode(status))

    def _exited(self, pid: int, code: int) -> None:
        child = next((child for child in self._children.values() if child.pid == pid), None)
        if child is None:
            return
        child.pid = None
        if self._stopping:
            return
        if not child.keep and (code == 0 or child.kill_due_s is not None):
            log.info("process.ended", process=child.name)
            self._forget(child.name)
            return
        again_in_s = child.failed(time.monotonic())
        log.warning("process.exited", process=child.name, code=code, again_in_s=again_in_s)

    def _stop(self) -> int:
        """Ask everything to stop, wait, and end what doesn't: the whole takes less than ten seconds."""
        for child in self._children.values():
            if child.pid is not None:
                _signal(child.pid, signal.SIGTERM)
        deadline_s = time.monotonic() + STOP_WITHIN_S
        while self._running() and time.monotonic() < deadline_s:
            self._selector.select(0.1)
            self._drain_wakeups()
            self._reap()
        late = self._running()
        for child in late:
            log.warning("process.killed", process=child.name)
            assert child.pid is not None
            _signal(child.pid, signal.SIGKILL)
        with contextlib.suppress(FileNotFoundError):
            (self._run_directory / "supervisor.sock").unlink()
        return 1 if late else 0

    def _running(self) -> list[Child]:
        return [child for child in self._children.values() if child.pid is not None]


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def want_stages(run_directory: Path, space_ids: list[int], wedged: Sequence[int] = ()) -> None:
    """The worker's side: say which Spaces need a stage, and which of those are wedged and have to be killed.

    Says nothing if there is no supervisor to hear it.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        try:
            sender.sendto(
                msgspec.json.encode(Wanted(space_ids, list(wedged))), str(run_directory / "supervisor.sock")
            )
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ECONNREFUSED, errno.EAGAIN):
                raise
