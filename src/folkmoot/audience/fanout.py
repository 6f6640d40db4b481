"""Who listens to what, and what is written to whom next. Sockets are integers, the time is an argument, and
bytes leave through an injected `Emit`: nothing here touches a socket.
"""

from __future__ import annotations

import heapq
import logging
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from folkmoot.audience import responses, windows
from folkmoot.audience.groups import HUNG_UP, Emit, Feed, Group
from folkmoot.audience.leases import Leases
from folkmoot.audience.live import LiveTape
from folkmoot.audience.members import BACKLOG_PARTS_MAX, Listener, Space, Waiting
from folkmoot.audience.sealed import SealedEmit
from folkmoot.audience.wire import Arrival
from folkmoot.tape.model import TapeError

GROUP_LISTENERS = 400  # 3 ms of writing; more groups are opened until every slot has one
WAIT_MS_MAX = 10_000
WAIT_STEP_MS = 100
WAITING_PLACED_MAX = 200
LOST_AT_ONCE_MAX = 1_000  # 3 ms
IDLE_MS = 2_000
"""While a stage is started anew, listeners are written to so often: who gets nothing at all for long has lost the
network, and comes back, which a whole crowd must not do because one process is silent."""

BROKEN_OFF = "broken_off"  # at the end, without having taken all: nothing but the close says so
ENDED = "ended"
FAILED = "failed"
MOVED = "moved"
REFUSED, REVOKED = "refused", "revoked"

logger = logging.getLogger(__name__)


class Metrics(msgspec.Struct):
    """Totals since the start. One write carries one or more parts to one listener."""

    received: int = 0
    writes: int = 0
    parts: int = 0
    bytes: int = 0
    skipped: int = 0
    hung_up: int = 0
    slow: int = 0
    revoked: int = 0
    ended: int = 0
    broken_off: int = 0
    failed: int = 0
    refused: int = 0
    moved: int = 0


LATENESS_MS = (1, 2, 5, 10, 20, 50, 100, 250, 1000)
DELAYS_MS = (10, 20, 50, 100, 200, 500, 1000, 2000)
"""How old a part is when it is written, as far as this worker saw it come: the first of a second nearly that."""


class Fanout:
    """The whole state of one worker.

    `closed` collects (socket, reason) of listeners who are forgotten here and whose sockets the caller closes.
    `changed` collects the Spaces whose number of listeners changed; the caller clears it.
    """

    def __init__(
        self,
        emit: Emit,
        open_tape: Callable[[int], LiveTape | None],
        choose_window_ms: Callable[[int], int] = windows.window_ms,
        sealed: SealedEmit | None = None,
    ) -> None:
        self._plain = emit
        self._sealed = sealed or SealedEmit()
        self._open_tape = open_tape
        self._choose_window_ms = choose_window_ms
        self._spaces: dict[int, Space] = {}
        self._listeners: dict[int, Listener] = {}
        self._waiting: dict[int, list[Waiting]] = {}
        self._waiting_due_ms = 0
        self._slot_listeners = [0] * windows.SLOTS
        self._due: list[tuple[int, int, Space, Group]] = []
        self._serial = 0
        self._leases = Leases()
        self._lost: deque[int] = deque()  # who is still to be closed
        self.metrics = Metrics()
        self.lateness = [0] * (len(LATENESS_MS) + 1)
        self.delays = [0] * (len(DELAYS_MS) + 1)
        self.closed: list[tuple[int, str]] = []
        self.changed: set[int] = set()

    # --- who listens

    def __len__(self) -> int:
        return len(self._listeners) + sum(len(waiting) for waiting in self._waiting.values())

    def count(self, space_id: int) -> int:
        """How many sockets listen to a Space, those waiting for its first sound included."""
        space = self._spaces.get(space_id)
        return (space.listeners if space else 0) + len(self._waiting.get(space_id, ()))

    def spaces(self) -> set[int]:
        return {*self._spaces, *self._waiting}

    def sockets(self) -> list[int]:
        return [*self._listeners, *(each.socket for waiting in self._waiting.values() for each in waiting)]

    def join(self, socket: int, arrival: Arrival, now_ms: int) -> None:
        """Takes a socket in: its head, the init segment and the newest window go out at once."""
        self.metrics.received += 1
        self.changed.add(arrival.space_id)
        if not self._leases.hold(socket, arrival.stamps):
            self._close(socket, REVOKED)
            return
        if arrival.sealing is not None:
            self._sealed.take(socket, arrival.sealing)
        self._place(Waiting(socket, arrival, now_ms), now_ms)

    def remove(self, sockets: Iterable[int], reason: str = HUNG_UP) -> None:
        """Forgets listeners, whatever they are doing. Unknown sockets are ignored."""
        gone: dict[Group, tuple[Space, list[int]]] = {}
        unplaced: set[int] = set()
        for socket in sockets:
            listener = self._listeners.get(socket)
            if listener is None:
                unplaced.add(socket)
            else:
                gone.setdefault(listener.group, (listener.space, []))[1].append(socket)
        for group, (space, members) in gone.items():
            group.remove(members)
            self._forget(space, group, members, reason)
        if unplaced and self._waiting:
            self._remove_waiting(unplaced, reason)

    def revoke(self, counters: Mapping[str, int]) -> None:
        """Ends each lease that hangs on an older counter of these subjects; a crowd, in some calls of `serve`."""
        lost = self._leases.raise_counters(counters)
        if lost:
            self.remove([socket for socket in lost if socket not in self._listeners], REVOKED)
            self._lost.extend(socket for socket in lost if socket in self._listeners)
            self._end_lost()

    def _end_lost(self) -> None:
        some = [self._lost.popleft() for _ in range(min(LOST_AT_ONCE_MAX, len(self._lost)))]
        # By now a number may be that of another socket, whose right is newer.
        held = [(socket, listener) for socket in some if (listener := self._listeners.get(socket))]
        self.remove([socket for socket, listener in held if self._leases.are_over(listener.stamps)], REVOKED)

    def subjects(self) -> list[str]:
        """Every subject that a listener's lease hangs on."""
        return self._leases.subjects()

    # --- what is written next

    def due_ms(self) -> int | None:
        """When `serve` has something to do; None when nobody listens."""
        if self._lost:
            return 0
        due_ms = self._due[0][0] if self._due else None
        if self._waiting:
            return self._waiting_due_ms if due_ms is None else min(due_ms, self._waiting_due_ms)
        return due_ms

    def serve(self, now_ms: int) -> bool:
        """Serves the one group that is most overdue, so that the caller can look at its door in between.

        False when nothing was due.
        """
        if self._lost:
            self._end_lost()
        if self._waiting and now_ms >= self._waiting_due_ms:
            self._serve_waiting(now_ms)
        if not self._due or self._due[0][0] > now_ms:
            return False
        _, _, space, group = heapq.heappop(self._due)
        if group not in space.groups:
            return True
        is_due = now_ms >= group.due_ms
        if not is_due and space.was_seen_going_on(now_ms):  # by another group
            self._schedule(space, group, now_ms)
            return True
        try:
            has_ended = space.look(now_ms, takes=is_due)
        except (OSError, TapeError):
            logger.exception("the tape of Space %d can't be read", space.space_id)
            self._end(space, FAILED)
            return True
        if has_ended:
            self._finish(space, group, now_ms)
            return True
        if is_due:
            self.lateness[bisect_left(LATENESS_MS, now_ms - group.due_ms)] += 1
            self._deliver(space, group, now_ms)
        if group in space.groups:
            self._schedule(space, group, now_ms)
        return True

    def _deliver(self, space: Space, group: Group, now_ms: int) -> None:
        feed = group.feed
        start = self._start(group)
        if start < feed.end:
            data = feed.framed(start, feed.end, chunked=group.chunked)
        elif feed.idle and now_ms - group.wrote_ms >= IDLE_MS:
            data = responses.chunk(feed.idle) if group.chunked else feed.idle
        else:
            return
        delivery = group.deliver(data, self._emit(group))
        self.metrics.skipped += delivery.skipped
        self._count(delivery.written, feed.end - start, len(data), now_ms - space.beat_ms)
        group.cursor = feed.end
        group.wrote_ms = now_ms
        for socket, reason in delivery.closed:
            self._forget(space, group, [socket], reason)

    def _start(self, group: Group) -> int:
        """Where the next chunk starts. After a stall of the worker or a burst on the tape, only the newest."""
        if group.feed.end - group.cursor < BACKLOG_PARTS_MAX:  # else there may have been more
            return group.cursor
        return group.feed.end - self._window_ms // windows.PART_MS

    def _schedule(self, space: Space, group: Group, now_ms: int) -> None:
        window = self._window_ms
        if window > windows.PART_MS:
            group.due_ms = windows.slot_due_ms(group.slot, window, now_ms)
        else:
            step_ms = windows.poll_step_ms(len(self._spaces))
            group.due_ms = windows.poll_due_ms(space.beat_ms, now_ms, step_ms)
        self._push(space, group, min(group.due_ms, now_ms + windows.look_ms(len(self._spaces))))

    def _push(self, space: Space, group: Group, at_ms: int) -> None:
        self._serial += 1
        heapq.heappush(self._due, (at_ms, self._serial, space, group))

    @property
    def _window_ms(self) -> int:
        return self._choose_window_ms(windows.load(len(self._listeners), len(self._due)))

    def _count(self, writes: int, parts: int, length: int, newest_ms: int) -> None:
        self.metrics.writes += writes
        self.metrics.parts += writes * parts
        self.metrics.bytes += writes * length
        for place in range(parts):
            self.delays[bisect_left(DELAYS_MS, newest_ms + place * windows.PART_MS)] += writes

    # --- arriving

    def _place(self, waiting: Waiting, now_ms: int) -> None:
        """Puts a listener into a group, or keeps it waiting while its Space has no sound yet."""
        arrival = waiting.arrival
        try:
            space = self._space(arrival.space_id, now_ms)
            feed = space.feed(arrival.form) if space else None
        except (OSError, TapeError):
            logger.exception("the tape of Space %d can't be opened", arrival.space_id)
            self._refuse(waiting, 503, "no_sound", "This Space can't be heard right now.")
            return
        if space and space.tape.ended:
            self._drop_if_empty(space)
            self._refuse(waiting, 410, "ended", "This Space has ended.")
        elif space and feed:
            self._start_listener(space, feed, waiting, now_ms)
        else:
            if space:
                self._drop_if_empty(space)
            self._wait(waiting, now_ms)

    def _wait(self, waiting: Waiting, now_ms: int) -> None:
        if now_ms - waiting.since_ms >= WAIT_MS_MAX:
            self._refuse(waiting, 503, "no_sound", "This Space has no sound yet.")
            return
        if not self._waiting:
            self._waiting_due_ms = now_ms + WAIT_STEP_MS
        self._waiting.setdefault(waiting.arrival.space_id, []).append(waiting)

    def _space(self, space_id: int, now_ms: int) -> Space | None:
        space = self._spaces.get(space_id)
        if space is None:
            tape = self._open_tape(space_id)
            if tape is None:
                return None
            space = self._spaces[space_id] = Space(space_id, tape)
            space.refresh(now_ms)
        return space

    def _start_listener(self, space: Space, feed: Feed, waiting: Waiting, now_ms: int) -> None:
        group = self._group(space, feed, waiting.arrival, now_ms)
        window_parts = self._window_ms // windows.PART_MS
        newest = feed.framed(group.cursor - window_parts, group.cursor, chunked=group.chunked)
        init = responses.chunk(feed.init) if group.chunked and feed.init else feed.init
        socket, arrival = waiting.socket, waiting.arrival
        if arrival.stamps != space.stamps:
            space.stamps = arrival.stamps
        self._listeners[socket] = Listener(space, group, space.stamps)
        self._slot_listeners[group.slot] += 1
        space.listeners += 1
        if not group.add(socket, b"".join((arrival.pending, init, newest)), self._emit(group)):
            self._forget(space, group, [socket], HUNG_UP)

    def _group(self, space: Space, feed: Feed, arrival: Arrival, now_ms: int) -> Group:
        is_sealed = arrival.sealing is not None
        alike = (feed, arrival.chunked, is_sealed)
        groups = [g for g in space.groups if (g.feed, g.chunked, g.is_sealed) == alike]
        smallest = min(groups, key=len, default=None)
        if smallest is not None and (len(smallest) < GROUP_LISTENERS or len(groups) >= windows.SLOTS):
            return smallest
        slot = min(range(windows.SLOTS), key=self._slot_listeners.__getitem__)
        group = Group(feed, chunked=arrival.chunked, is_sealed=is_sealed, slot=slot, due_ms=now_ms)
        space.groups.append(group)
        self._schedule(space, group, now_ms)
        return group

    def _serve_waiting(self, now_ms: int) -> None:
        self._waiting_due_ms = now_ms + WAIT_STEP_MS
        before, self._waiting = self._waiting, {}
        for space_id, waiting in before.items():
            for number, each in enumerate(waiting):
                self._place(each, now_ms)
                still = self._waiting.get(space_id)
                if still is not None or number + 1 == WAITING_PLACED_MAX:
                    self._waiting.setdefault(space_id, []).extend(waiting[number + 1 :])
                    break

    # --- leaving

    def _refuse(self, waiting: Waiting, status: int, code: str, error: str) -> None:
        retry_after_s = 2 if status == 503 else None
        emit = self._plain if waiting.arrival.sealing is None else self._sealed
        emit.end((waiting.socket,), responses.refusal(status, code, error, retry_after_s=retry_after_s))
        self._release(waiting, REFUSED)

    def _release(self, waiting: Waiting, reason: str) -> None:
        self._leases.release(waiting.socket, waiting.arrival.stamps)
        self.changed.add(waiting.arrival.space_id)
        self._close(waiting.socket, reason)

    def _remove_waiting(self, sockets: set[int], reason: str) -> None:
        for space_id, waiting in list(self._waiting.items()):
            kept = [each for each in waiting if each.socket not in sockets]
            for each in waiting:
                if each.socket in sockets:
                    self._release(each, reason)
            if kept:
                self._waiting[space_id] = kept
            else:
                del self._waiting[space_id]

    def _finish(self, space: Space, group: Group, now_ms: int) -> None:
        """The Space has ended: its next group doesn't wait for its turn, which may be a second away."""
        feed, start = group.feed, self._start(group)
        data = feed.framed(start, feed.end, chunked=group.chunked)
        broken_off = group.finish(data, self._emit(group))
        self._count(len(group.sockets) if data else 0, feed.end - start, len(data), now_ms - space.beat_ms)
        group.remove(broken_off)
        self._forget(space, group, broken_off, BROKEN_OFF)
        self._forget(space, group, _members(group), ENDED)
        if space.groups:
            self._push(space, space.groups[0], now_ms)

    def _end(self, space: Space, reason: str) -> None:
        for group in list(space.groups):
            self._forget(space, group, _members(group), reason)

    def _forget(self, space: Space, group: Group, sockets: Sequence[int], reason: str) -> None:
        """The bookkeeping of listeners who are in no group any more."""
        for socket in sockets:
            listener = self._listeners.pop(socket)
            self._leases.release(socket, listener.stamps)
            self._close(socket, reason)
        self._slot_listeners[group.slot] -= len(sockets)
        space.listeners -= len(sockets)
        self.changed.add(space.space_id)
        if not len(group) and group in space.groups:
            space.groups.remove(group)
        self._drop_if_empty(space)

    def _drop_if_empty(self, space: Space) -> None:
        if not space.groups and self._spaces.get(space.space_id) is space:
            del self._spaces[space.space_id]
            space.tape.close()

    def _emit(self, group: Group) -> Emit:
        return self._sealed if group.is_sealed else self._plain

    def _close(self, socket: int, reason: str) -> None:
        self._sealed.forget(socket)
        setattr(self.metrics, reason, getattr(self.metrics, reason) + 1)
        self.closed.append((socket, reason))


def _members(group: Group) -> list[int]:
    """Takes everyone out of a group."""
    members = [*group.sockets, *group.behind]
    group.remove(members)
    return members
