"""The supervisor: forks what has to run, watches it, restarts what crashes, stops everything on SIGTERM.

It imports what the children need once, before it forks, so that they share that memory; it holds no database, no
thread and no event loop, so that there is little that could end it. Stage processes come and go with live Spaces:
the worker, which reads the database, sends the list of those it wants to `run/supervisor.sock`. SIGHUP has it
become the program that is installed now, with the settings of now (`reload.py`).
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
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
import structlog

from folkmoot.serve.children import LOOK_EVERY_S, STOP_WITHIN_S, WEB, Child, Children
from folkmoot.serve.ports import PortShares
from folkmoot.serve.reload import HEARD_LATER, Handed, Outcome, Rehearsal, become, write_outcome

log = structlog.get_logger()

_MESSAGE_BYTES_MAX = 64 * 1024
_PR_SET_NAME = 15
_PR_SET_PDEATHSIG = 1

Main = Callable[[], None]


class Wanted(msgspec.Struct, tag="wanted"):
    """The worker's list: the Spaces that need a stage process now, and those of them whose stage is wedged."""

    stages: list[int]
    wedged: list[int] = []


class Ready(msgspec.Struct, tag="ready"):
    """A process's word that it does now what it is for: its predecessor may go."""

    name: str


class Alive(msgspec.Struct, tag="alive"):
    """A process's word that it is there. One that has said so and then is silent for some seconds is wedged."""

    pid: int


_message = msgspec.json.Decoder(Wanted | Ready | Alive)


class Supervisor:
    """Runs until SIGTERM or SIGINT, or until it has become another.

    `kept` are started first, in order; `stage` makes the main of one Space's stage process, which has its share of
    `ports` to itself as long as it is wanted. `handed`: what it leaves to the next (without children), which
    `take_over` got from the one before.
    """

    def __init__(
        self,
        run_directory: Path,
        kept: Mapping[str, Main],
        stage: Callable[[int, range | None], Main],
        ports: PortShares,
        handed: Handed,
    ) -> None:
        self._run_directory = run_directory
        self._mains = kept
        self._stage = stage
        self.children = Children(list(kept), ports)
        self._handed = handed
        self._stopping = False
        self._reload_asked = False
        self._rehearsal: Rehearsal | None = None
        self._answers_reload = False  # once web is ready
        self._silences_due_s = 0.0
        self._has_terminal = sys.stdin is not None and sys.stdin.isatty()
        self._selector = selectors.DefaultSelector()
        self._control: socket.socket | None = None

    def take_over(self, handed: Handed) -> None:
        """Go on with the processes of the supervisor that this process was before."""
        self.children.take_over(handed.children, time.monotonic())
        self._answers_reload = True

    def run(self) -> int:
        """Supervise; returns the exit code once every child is gone."""
        self._prepare()
        while not self._stopping:
            self._reap()
            self._look()
            for key, _ in self._selector.select(self._until_due_s()):
                key.data()
        return self._stop()

    def _look(self) -> None:
        now_s = time.monotonic()
        for child in self.children.due(now_s):
            self._fork(child)
        self.children.kill_late(now_s)
        if now_s >= self._silences_due_s:
            self._silences_due_s = now_s + LOOK_EVERY_S
            if self._rehearsal is None:  # which takes the processor from everybody
                self.children.end_silent()
        self._send_signals()
        if self._rehearsal is not None and self._rehearsal.kill_due_s <= now_s:
            _signal(self._rehearsal.pid, signal.SIGKILL)
            self._rehearsal.kill_due_s = float("inf")
        if self._reload_asked and self._rehearsal is None and self.children.settled:
            self._reload_asked = False
            self._rehearse()

    # --- what it waits for

    def _prepare(self) -> None:
        path = self._run_directory / "supervisor.sock"
        path.unlink(missing_ok=True)
        self._control = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._control.bind(str(path))
        self._control.setblocking(False)
        self._selector.register(self._control, selectors.EVENT_READ, self._read_messages)
        self._wake_read, self._wake_write = socket.socketpair()
        for end in (self._wake_read, self._wake_write):
            end.setblocking(False)
        signal.set_wakeup_fd(self._wake_write.fileno(), warn_on_full_buffer=False)
        self._selector.register(self._wake_read, selectors.EVENT_READ, self._drain_wakeups)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for stop in (signal.SIGTERM, signal.SIGINT):
            signal.signal(stop, self._on_stop_signal)
        signal.signal(signal.SIGHUP, self._on_hangup)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HEARD_LATER)
        gc.collect()
        gc.freeze()

    def _on_stop_signal(self, *_: object) -> None:
        self._stopping = True

    def _on_hangup(self, *_: object) -> None:
        """To reload; but the end of the terminal that it was started from is its end, too."""
        if self._has_terminal and not sys.stdin.isatty():
            self._stopping = True
        else:
            self._reload_asked = True

    def _drain_wakeups(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._wake_read.recv(4096):
                pass

    def _read_messages(self) -> None:
        assert self._control is not None
        with contextlib.suppress(BlockingIOError):
            while True:
                message = self._control.recv(_MESSAGE_BYTES_MAX)
                try:
                    said = _message.decode(message)
                except msgspec.MsgspecError as error:
                    log.warning("supervisor.message_refused", error=str(error))
                else:
                    self._hear(said)

    def _hear(self, said: Wanted | Ready | Alive) -> None:
        now_s = time.monotonic()
        if isinstance(said, Alive):
            self.children.alive(said.pid)
        elif isinstance(said, Wanted):
            self.children.end_wedged(said.wedged)
            self.children.want(said.stages, now_s)
        else:
            self.children.ready(said.name, now_s)
            if said.name == WEB and self._answers_reload:
                self._answers_reload = False
                log.info("reload.done", generation=self._handed.generation)
                write_outcome(self._run_directory, Outcome(self._handed.reloads))

    def _until_due_s(self) -> float | None:
        due = [
            self.children.next_due_s(),
            self._rehearsal.kill_due_s if self._rehearsal else None,
            self._silences_due_s if self.children.are_watched else None,
        ]
        next_s = min((due_s for due_s in due if due_s is not None), default=None)
        return None if next_s is None or next_s == float("inf") else max(0.0, next_s - time.monotonic())

    # --- reload

    def _rehearse(self) -> None:
        self._handed = msgspec.structs.replace(self._handed, reloads=self._handed.reloads + 1)
        log.info("reload.begun")
        try:
            self._rehearsal = Rehearsal(self._handed)
        except OSError as error:
            self._refuse_reload(f"It can't be tried: {error.strerror}.")

    def _rehearsed(self, rehearsal: Rehearsal, code: int) -> None:
        self._rehearsal = None
        reason = rehearsal.why_not(code)
        if reason is None and not self._stopping:
            try:
                self._become_next()
            except OSError as error:
                reason = f"It can't be started: {error.strerror}."
        if reason is not None:
            self._refuse_reload(reason)

    def _become_next(self) -> None:
        """Raises OSError where it stays what it is."""
        sys.stdout.flush()
        sys.stderr.flush()
        # Two web processes at a time are of neighbouring generations: one that never got ready was none.
        generation = self._handed.generation + (self.children.serving is None)
        next_ = msgspec.structs.replace(self._handed, generation=generation, children=self.children.known())
        self._send_signals()
        become(next_)

    def _refuse_reload(self, reason: str) -> None:
        log.error("reload.refused", reason=reason)
        write_outcome(self._run_directory, Outcome(self._handed.reloads, reason))

    # --- children

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
            self._become_child(child)
        child.pid = pid
        log.info("process.started", process=child.name, pid=pid)

    def _become_child(self, child: Child) -> None:
        """In the forked process: shed what is the supervisor's, run, and leave without its clean-up."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            # Ctrl-C, and the end of a terminal, reach the whole group: the supervisor alone answers them.
            for number in (signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            self._selector.close()
            for end in (self._wake_read, self._wake_write, self._control):
                if end is not None:
                    end.close()
            libc = ctypes.CDLL(None)
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            libc.prctl(_PR_SET_NAME, f"fm-{child.name}"[:15].encode())
            self._main(child)()
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

    def _main(self, child: Child) -> Main:
        return self._mains[child.name] if child.space_id is None else self._stage(child.space_id, child.ports)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            code = os.waitstatus_to_exitcode(status)
            if self._rehearsal is not None and pid == self._rehearsal.pid:
                self._rehearsed(self._rehearsal, code)
            else:
                self.children.exited(pid, code, time.monotonic())

    def _send_signals(self) -> None:
        for pid, number in self.children.signals:
            _signal(pid, number)
        self.children.signals.clear()

    def _stop(self) -> int:
        """Ask everything to stop, wait, and end what doesn't: the whole takes less than ten seconds."""
        self.children.stopping = True
        if self._rehearsal is not None:
            _signal(self._rehearsal.pid, signal.SIGKILL)
        for pid in self.children.pids():
            _signal(pid, signal.SIGTERM)
        deadline_s = time.monotonic() + STOP_WITHIN_S
        while self.children.pids() and time.monotonic() < deadline_s:
            self._selector.select(0.1)
            self._drain_wakeups()
            self._reap()
        late = self.children.pids()
        for pid, name in late.items():
            log.warning("process.killed", process=name)
            _signal(pid, signal.SIGKILL)
        with contextlib.suppress(FileNotFoundError):
            (self._run_directory / "supervisor.sock").unlink()
        return 1 if late else 0


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def want_stages(run_directory: Path, space_ids: list[int], wedged: Sequence[int] = ()) -> None:
    """The worker's side: say which Spaces need a stage, and which of those are wedged and have to be killed.

    Says nothing if there is no supervisor to hear it.
    """
    _say(run_directory, Wanted(space_ids, list(wedged)))


def say_ready(run_directory: Path, name: str) -> None:
    """A process's side: it does what it is for. Says nothing if there is no supervisor to hear it."""
    _say(run_directory, Ready(name))


def heartbeat(run_directory: Path) -> Callable[[], None]:
    """A process's side: what it calls twice a second to say that it is there.

    Never fails: it would take the process with it, and who can't say it is killed soon enough. The socket is opened
    here, once: later the process may have as many files open as it may.
    """
    sender = _sender()

    def beat() -> None:
        with contextlib.suppress(OSError):
            _send(sender, run_directory, Alive(os.getpid()))

    return beat


def _say(run_directory: Path, message: Wanted | Ready) -> None:
    with _sender() as sender:
        try:
            _send(sender, run_directory, message)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ECONNREFUSED, errno.EAGAIN):
                raise


def _sender() -> socket.socket:
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sender.setblocking(False)
    return sender


def _send(sender: socket.socket, run_directory: Path, message: Wanted | Ready | Alive) -> None:
    sender.sendto(msgspec.json.encode(message), str(run_directory / "supervisor.sock"))
