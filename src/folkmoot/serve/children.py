"""Which processes a server should have, and what is due for each. Pure: the time is an argument, nothing is forked
or killed here; the supervisor carries it out.
"""

import signal
from collections.abc import Iterable, Iterator, Sequence

import msgspec
import structlog

from folkmoot.serve.ports import NoPortsLeft, PortShares
from folkmoot.stage import protocol

log = structlog.get_logger()

BACKOFF_FIRST_S = 0.1
BACKOFF_MAX_S = 5.0
STEADY_AFTER_S = 30.0
STOP_WITHIN_S = 8.0
# A stage that is told to stop closes its tape within 3 s; one that is wedged never would.
STAGE_STOPS_WITHIN_S = 3.5
# At a reload: so long may requests go on in the process that is being replaced, and so long may it take until its
# listeners have been taken over. What is left then is ended.
RETIRE_WITHIN_S = 60.0
RETIRE = signal.SIGUSR1
"""Tells a web process to accept nothing more, to bring what is under way to an end, and to exit."""
WEB, WORKER, AUDIENCE = "web", "worker", "audience-"
# A process that says that it is there does so twice a second. One of which nothing was heard in so many looks is
# wedged: that is more than three seconds. One that starts may have more to do before its first word.
LOOK_EVERY_S = 1.0
SILENCES_MAX = 4
STARTING = SILENCES_MAX - 30


class Known(msgspec.Struct, frozen=True):
    """A process that runs, as the supervisor that started it tells the one that takes its place.

    `protocol`: the version of what web and worker say to it, of a stage. `silences`: as in `Child`.
    """

    name: str
    pid: int
    started_s: float
    space_id: int | None = None
    ports: tuple[int, int] | None = None
    protocol: int = protocol.VERSION
    silences: int | None = None


class Child:
    """One process that should run, and how it fared."""

    def __init__(self, name: str, space_id: int | None = None, ports: range | None = None) -> None:
        self.name = name
        # Only a stage has a Space. Others come back whatever their exit code; a stage that exits 0 has ended it.
        self.space_id = space_id
        self.ports = ports
        self.protocol = protocol.VERSION
        self.pid: int | None = None
        self.started_s = 0.0
        self.backoff_s = 0.0
        self.due_s = 0.0
        # Must have ended before this one starts.
        self.after: int | None = None
        # When it is killed, once it was told to stop; after that it is forgotten, not restarted.
        self.kill_due_s: float | None = None
        self.silences = self.first_silences

    @property
    def first_silences(self) -> int | None:
        """Looks since it said that it is there, when it is started: below zero. None where it never says so."""
        return STARTING if self.name.startswith(AUDIENCE) else None

    def failed(self, now_s: float) -> float:
        """Note an exit; returns the seconds until the next start: none if it ran steadily, else more each time."""
        if now_s - self.started_s > STEADY_AFTER_S:
            self.backoff_s = 0.0
        again_in_s = self.backoff_s
        self.due_s = now_s + again_in_s
        self.backoff_s = min(max(self.backoff_s * 2, BACKOFF_FIRST_S), BACKOFF_MAX_S)
        return again_in_s

    def known(self) -> Known:
        """As it is told to the next supervisor. Only while it runs."""
        assert self.pid is not None
        ports = (self.ports.start, self.ports.stop) if self.ports else None
        return Known(self.name, self.pid, self.started_s, self.space_id, ports, self.protocol, self.silences)


class Retired:
    """A process whose place another has taken, until it has ended."""

    def __init__(self, known: Known, kill_due_s: float | None) -> None:
        self.known = known
        self.name = known.name
        self.pid = known.pid
        # None: it goes on as before until its successor is ready.
        self.kill_due_s = kill_due_s
        # Its successor waits for it: while it is wedged, nobody writes to its listeners.
        self.silences = known.silences


class Children:
    """`kept` are the names of those that always run, in the order in which they start; stages come and go.

    `signals` collects (pid, signal) that the caller has to send.
    """

    def __init__(self, kept: Sequence[str], ports: PortShares) -> None:
        self._children = {name: Child(name) for name in kept}
        self._retired: dict[int, Retired] = {}
        self._ports = ports
        self._waiting: set[str] = set()  # stages that no ports were left for
        self.signals: list[tuple[int, signal.Signals]] = []
        self.stopping = False  # nothing that ends comes back

    def __getitem__(self, name: str) -> Child:
        return self._children[name]

    def pids(self) -> dict[int, str]:
        """All that run, those on their way out too."""
        running = {child.pid: child.name for child in self._children.values() if child.pid is not None}
        return running | {pid: retired.name for pid, retired in self._retired.items()}

    @property
    def settled(self) -> bool:
        """Whether nothing of an earlier reload is left, but a web process whose successor isn't ready: it may never
        be, and the next reload is how one gets out of that."""
        return all(retired is self.serving for retired in self._retired.values())

    @property
    def serving(self) -> Retired | None:
        """The web process that goes on because the one that was to replace it isn't ready."""
        return next((retired for retired in self._retired.values() if retired.kill_due_s is None), None)

    # --- one supervisor after another

    def known(self) -> list[Known]:
        """What runs, for the supervisor that takes this one's place. Only when `settled`.

        A web process that isn't ready is ended, and the one that serves is told in its place.
        """
        running = {child.name: child for child in self._children.values() if child.pid is not None}
        if self.serving is None:
            return [child.known() for child in running.values()]
        unready = running.pop(WEB, None)
        if unready is not None and unready.pid is not None:
            self._kill(WEB, unready.pid)
        return [self.serving.known, *(child.known() for child in running.values())]

    def take_over(self, known: Iterable[Known], now_s: float) -> None:
        """Stages are kept, as long as they understand what this version says to them; the rest is replaced.

        Listeners are fetched from the old audience processes by the new ones, and web goes on until the new one is
        ready; but there must never be two workers.
        """
        for each in known:
            if each.space_id is not None:
                self._keep(each, now_s)
            elif each.name == WEB:
                self._retired[each.pid] = Retired(each, None)
            elif each.name == WORKER:
                self._retired[each.pid] = Retired(each, now_s + STOP_WITHIN_S)
                self._children[WORKER].after = each.pid
                self.signals.append((each.pid, signal.SIGTERM))
            else:
                self._retired[each.pid] = Retired(each, now_s + RETIRE_WITHIN_S)

    def _keep(self, known: Known, now_s: float) -> None:
        ports = range(*known.ports) if known.ports else None
        child = self._children[known.name] = Child(known.name, known.space_id, ports)
        child.pid, child.started_s, child.protocol = known.pid, known.started_s, known.protocol
        self._ports.keep(known.name, ports)
        if known.protocol != protocol.VERSION:
            log.warning("stage.of_another_version", process=known.name)
            self._stop_stage(child, now_s)

    def ready(self, name: str, now_s: float) -> None:
        """The new one does what its predecessor did: that may go."""
        for retired in self._retired.values():
            if retired.name == name and retired.kill_due_s is None:
                retired.kill_due_s = now_s + RETIRE_WITHIN_S
                self.signals.append((retired.pid, RETIRE))

    def alive(self, pid: int) -> None:
        """A process says that it is there, and from now on is expected to go on saying so."""
        for each in self._going():
            if each.pid == pid:
                each.silences = 0

    @property
    def are_watched(self) -> bool:
        """Whether there is somebody for `end_silent` to look at."""
        return any(each.pid is not None and each.silences is not None for each in self._going())

    def end_silent(self) -> None:
        """To be called every LOOK_EVERY_S. Looks are counted, not seconds: while the whole machine, or the caller,
        stood still, nobody was silent."""
        for each in self._going():
            if each.silences is None or each.pid is None:
                continue
            each.silences += 1
            if each.silences > SILENCES_MAX:
                log.warning("process.wedged", process=each.name)
                each.silences = None
                self._kill(each.name, each.pid)

    # --- stages

    def want(self, space_ids: Iterable[int], now_s: float) -> None:
        """Stages that are missing start now; one that is not wanted is told to stop, and killed if it does not.

        Once told it goes, even if it is wanted again meanwhile: that starts another.
        """
        wanted = {f"stage-{space_id}": space_id for space_id in space_ids}
        self._waiting &= wanted.keys()
        for name, space_id in wanted.items():
            if name not in self._children:
                self._add_stage(name, space_id)
        for name, child in list(self._children.items()):
            if child.space_id is None or name in wanted:
                continue
            if child.pid is None:
                self._forget(name)
            elif child.kill_due_s is None:
                self._stop_stage(child, now_s)

    def end_wedged(self, space_ids: Iterable[int]) -> None:
        """What doesn't answer doesn't heed SIGTERM either; the next one goes on with what it had written."""
        for space_id in space_ids:
            child = self._children.get(f"stage-{space_id}")
            if child is not None and child.pid is not None:
                self._kill(child.name, child.pid)

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
        self._children[name] = Child(name, space_id, ports)

    def _stop_stage(self, child: Child, now_s: float) -> None:
        assert child.pid is not None
        child.kill_due_s = now_s + STAGE_STOPS_WITHIN_S
        self.signals.append((child.pid, signal.SIGTERM))

    def _forget(self, name: str) -> None:
        del self._children[name]
        self._ports.give_back(name)

    # --- what is due

    def due(self, now_s: float) -> list[Child]:
        """Those that are to be started now."""
        return [
            child
            for child in self._children.values()
            if child.pid is None and child.due_s <= now_s and child.after not in self._retired
        ]

    def kill_late(self, now_s: float) -> None:
        """SIGKILL, for what was told to stop and did not: it ends a stopped process too."""
        for each in self._going():
            if each.pid is not None and each.kill_due_s is not None and each.kill_due_s <= now_s:
                self._kill(each.name, each.pid)
                each.kill_due_s = now_s + STAGE_STOPS_WITHIN_S

    def next_due_s(self) -> float | None:
        """When `due` or `kill_late` has something to do next; None if only an exit or a message changes that."""
        due = [child.due_s for child in self._children.values() if child.pid is None and child.after is None]
        due += [each.kill_due_s for each in self._going() if each.pid is not None and each.kill_due_s is not None]
        return min(due, default=None)

    def _going(self) -> Iterator[Child | Retired]:
        yield from self._children.values()
        yield from self._retired.values()

    def _kill(self, name: str, pid: int) -> None:
        log.warning("process.killed", process=name)
        self.signals.append((pid, signal.SIGKILL))

    def exited(self, pid: int, code: int, now_s: float) -> None:
        """A process has ended. Unknown ones are nobody's business."""
        retired = self._retired.pop(pid, None)
        if retired is not None:
            log.info("process.replaced", process=retired.name, pid=pid)
            for child in self._children.values():
                child.after = None if child.after == pid else child.after
            return
        for child in list(self._children.values()):
            if child.pid == pid:
                child.pid, child.silences = None, child.first_silences
                if not self.stopping:
                    self._failed_or_over(child, code, now_s)

    def _failed_or_over(self, child: Child, code: int, now_s: float) -> None:
        if child.space_id is not None and (code == 0 or child.kill_due_s is not None):
            log.info("process.ended", process=child.name)
            self._forget(child.name)
        else:
            again_in_s = child.failed(now_s)
            log.warning("process.exited", process=child.name, code=code, again_in_s=again_in_s)
