"""Listeners for `bench audience`: C programs (`native/`), compiled when they are needed."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from folkmoot.bench.audience_tapes import FIRST_SPACE
from folkmoot.bench.processes import tree

NATIVE = Path(__file__).with_name("native")
PLAIN, TLS_RESUMED, TLS_FULL = 0, 1, 2
WITH_TLS = ("-DWITH_TLS", "-lssl", "-lcrypto")
LISTENERS_PER_PROCESS = 18_000  # of the 20,000 files that a process may often have
JOINS_PER_S = 2_000
_COMPILED_WITHIN_S = 60
_REPORTED_EVERY_S = 0.2
_ENDS_WITHIN_S = 20
SETTLES_S = 4.0
"""Three writes and more: by then it is known when each listener's are due."""


class AudienceFailed(Exception):
    """It could not be measured. The message is a sentence."""


class Spread(msgspec.Struct, frozen=True):
    """A distribution in milliseconds; the percentiles are missing where nothing was counted."""

    count: int
    max_ms: float
    p50_ms: float | None = None
    p99_ms: float | None = None
    p999_ms: float | None = None


class Heard(msgspec.Struct, frozen=True):
    """What the listeners noted. Parts, writes, delays, `missed` and `repeated` count while it was measured.

    `connected` have a connection and have asked, `answered` have got the head of a good answer.
    `missed` are parts that never came to somebody, `corrupted` listeners who got a byte that wasn't published.
    `delivery` is from when a write was due until the listener's kernel had it (over TLS, until it was read),
    `reading` until the generator had read it, `part_delay` from each part's publication,
    `closing` from the marked moment to when a stream was seen to have ended; `early` are writes before the
    moment at which a listener's writes had seemed due. `dropped` of those `never_reading`.
    """

    joined: int
    connected: int
    answered: int
    failed: int
    refused: int
    closed: int
    ended: int
    never_reading: int
    dropped: int
    bytes: int
    parts: int
    writes: int
    missed: int
    repeated: int
    corrupted: int
    early: int
    join: Spread
    part_delay: Spread
    delivery: Spread
    reading: Spread
    closing: Spread


class LoadWanted(msgspec.Struct, frozen=True, kw_only=True):
    """Listeners to connect. `never_reading` of them read nothing; `first_address` keeps two loads apart.

    `spaces` from `first_space` on have their tapes in the folder `tapes`.

    `tls` is how they connect: PLAIN, TLS_RESUMED (all but the first few bring a session ticket) or TLS_FULL.
    """

    port: int
    tapes: Path
    listeners: int
    write_ms: int
    spaces: int = 1
    first_space: int = FIRST_SPACE
    joins_per_s: int = JOINS_PER_S
    never_reading: int = 0
    first_address: int = 0
    tls: int = 0


def compiled(name: str, folder: Path, *options: str) -> Path:
    """The program `native/NAME.c`, built in `folder`. Raises AudienceFailed."""
    program = folder / name
    command = ["cc", "-O2", "-o", str(program), str(NATIVE / f"{name}.c"), *options]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_COMPILED_WITHIN_S, check=False)
    except FileNotFoundError as error:
        raise AudienceFailed("The load generator is written in C: a compiler `cc` is needed.") from error
    if done.returncode != 0:
        raise AudienceFailed(f"{name}.c could not be compiled: {done.stderr[-500:]}")
    return program


class Listeners:
    """Connections that are being made, held and checked. Made by `listening`."""

    def __init__(self, program: Path, wanted: LoadWanted) -> None:
        self._wanted = wanted
        arguments = {
            "-n": wanted.listeners,
            "-P": -(-wanted.listeners // LISTENERS_PER_PROCESS),
            "-r": wanted.joins_per_s,
            "-p": wanted.port,
            "-s": wanted.spaces,
            "-f": wanted.first_space,
            "-t": wanted.tapes,
            "-w": wanted.write_ms,
            "-x": wanted.never_reading,
            "-a": wanted.first_address,
            "-T": wanted.tls,
        }
        command = [str(program), *(str(word) for pair in arguments.items() for word in pair)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def pids(self) -> list[int]:
        """All processes of the generator."""
        return tree(self.process.pid)

    def settle(self, within_s: float = SETTLES_S) -> None:
        """Has everybody learn when its writes are due."""
        self._say(b"settle\n")
        time.sleep(within_s)

    def measure(self) -> None:
        """From now on it counts."""
        self._say(b"measure\n")

    def mark(self, at_ns: int) -> None:
        """Count how long after this moment (monotonic) connections end: those that do once this has returned."""
        self._say(b"mark %d\n" % at_ns)
        self.report()  # one order is obeyed after the other: who ended before this one was would never be counted

    def report(self) -> Heard:
        """What was noted up to now."""
        self._say(b"report\n")
        return self._read()

    def stop(self) -> Heard:
        """Ends all connections; what was noted in all."""
        self._say(b"stop\n")
        heard = self._read()
        if self.process.wait(_ENDS_WITHIN_S) != 0:
            raise AudienceFailed("A process of the load generator failed: its error is above.")
        return heard

    def wait_until_joined(self, within_s: float) -> Heard:
        """Until all hear something. Raises AudienceFailed, saying how many do."""
        heard = self._reported(lambda heard: heard.joined + heard.never_reading, within_s)
        if heard.joined + heard.never_reading < self._wanted.listeners:
            raise AudienceFailed(
                f"{heard.joined} of {self._wanted.listeners} listeners joined within {within_s:.0f} s; "
                f"{heard.connected} asked, {heard.answered} were answered, {heard.failed} could not connect, "
                f"{heard.refused} were refused, {heard.corrupted} got wrong bytes, {heard.closed} were cut off."
            )
        return heard

    def wait_until_decided(self, within_s: float) -> Heard:
        """Until each hears something, or never will; or until the time is over: in a storm that is a result."""
        return self._reported(lambda heard: heard.joined + heard.failed + heard.refused + heard.closed, within_s)

    def _reported(self, count: Callable[[Heard], int], within_s: float) -> Heard:
        """The first report that counts all of them, or the last within the time."""
        give_up_s = time.monotonic() + within_s
        while count(heard := self.report()) < self._wanted.listeners and time.monotonic() < give_up_s:
            time.sleep(_REPORTED_EVERY_S)
        return heard

    def _say(self, command: bytes) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(command)
            self.process.stdin.flush()
        except BrokenPipeError as error:
            raise AudienceFailed("The load generator ended: its error is above.") from error

    def _read(self) -> Heard:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise AudienceFailed("The load generator ended: its error is above.")
        return msgspec.json.decode(line, type=Heard)


@contextmanager
def listening(program: Path, wanted: LoadWanted) -> Iterator[Listeners]:
    """Listeners that begin to join at once."""
    listeners = Listeners(program, wanted)
    try:
        yield listeners
    finally:
        listeners.process.kill()
        listeners.process.communicate()
