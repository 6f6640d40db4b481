"""How listeners go from one worker to the next, each at exactly its next part: what one exports, the other resumes.

No I/O, like the fan-out itself. Parts have the numbers that they have on the tape, times are of the clock that all
processes of a machine share, so a listener's rhythm goes on too.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from folkmoot.audience import windows
from folkmoot.audience.fanout import FAILED, REVOKED, Fanout
from folkmoot.audience.groups import Behind, Feed, Group
from folkmoot.audience.members import Listener, Space, Waiting
from folkmoot.audience.wire import Arrival, Moved, MovedListener, Place
from folkmoot.tape.model import TapeError

REMAINDERS_BYTES_MAX = 64 * 1024  # of one message

logger = logging.getLogger(__name__)


class PassingFanout(Fanout):
    """A fan-out whose listeners another worker can take over."""

    def export(self, listeners_max: int) -> tuple[Moved, list[int]] | None:
        """Some listeners who have the same position, with their sockets; None when nobody is here.

        They stay until they are removed (as MOVED). Those who were served last come first: theirs is the longest
        time until something is due.
        """
        if self._waiting:
            return _waiting_alike(next(iter(self._waiting.values())), listeners_max)
        here = [(space, group) for space in self._spaces.values() for group in space.groups]
        if not here:
            return None
        space, group = max(here, key=lambda pair: pair[1].due_ms)
        sockets: list[int] = []
        listeners: list[MovedListener] = []
        size = 0
        for socket in [*group.behind, *group.sockets]:
            listener = self._exported(socket, group)
            size += len(listener.rest or b"")
            if sockets and (len(sockets) == listeners_max or size > REMAINDERS_BYTES_MAX):
                break
            sockets.append(socket)
            listeners.append(listener)
        place = Place(space.next_part(group), group.slot, group.due_ms)
        return Moved(space.space_id, space.form_of(group.feed), group.chunked, listeners, place), sockets

    def resume(self, moved: Moved, sockets: Sequence[int], now_ms: int) -> None:
        """Goes on with another worker's listeners: each gets next what it would have got there."""
        pairs = list(zip(sockets, moved.listeners, strict=True))
        if moved.place is None:
            for socket, each in pairs:
                self.join(socket, _arrival(moved, each), now_ms)
            return
        self.metrics.received += len(pairs)
        self.changed.add(moved.space_id)
        here = self._open(moved, now_ms)
        groups: dict[bool, Group] = {}
        for socket, each in pairs:
            if not self._leases.hold(socket, each.stamps):
                self._close(socket, REVOKED)
            elif here is None:
                self._leases.release(socket, each.stamps)
                self._close(socket, FAILED)
            else:
                is_sealed = each.sealing is not None
                if is_sealed not in groups:
                    groups[is_sealed] = self._group_at(*here, moved, moved.place, is_sealed=is_sealed)
                self._add_resumed(here[0], groups[is_sealed], socket, each)
        if here is not None:
            self._drop_if_empty(here[0])

    def _exported(self, socket: int, group: Group) -> MovedListener:
        behind = group.behind.get(socket)
        return MovedListener(
            self._listeners[socket].stamps,
            behind.remainder if behind else None,
            behind.skips if behind else 0,
            self._sealed.sealing(socket) if group.is_sealed else None,
        )

    def _open(self, moved: Moved, now_ms: int) -> tuple[Space, Feed] | None:
        """The Space as far as the other worker has seen it, or further."""
        try:
            space = self._space(moved.space_id, now_ms)
            feed = space.feed(moved.form) if space else None
            if space:
                space.refresh(now_ms)
        except (OSError, TapeError):
            logger.exception("the tape of Space %d can't be opened", moved.space_id)
            return None
        return (space, feed) if space and feed else None

    def _group_at(self, space: Space, feed: Feed, moved: Moved, place: Place, *, is_sealed: bool) -> Group:
        """A group that stands where they stood: one that does already, or a new one in their slot."""
        cursor = feed.end - max(0, space.tape.position(moved.form) - place.next_part)
        wanted = (feed, moved.chunked, is_sealed, place.slot, cursor)
        for group in space.groups:
            if (group.feed, group.chunked, group.is_sealed, group.slot, group.cursor) == wanted:
                return group
        group = Group(feed, chunked=moved.chunked, is_sealed=is_sealed, slot=place.slot, due_ms=place.due_ms)
        group.cursor = cursor
        space.groups.append(group)
        group.wrote_ms -= windows.WINDOW_MS_MAX  # about when they were written to there
        self._push(space, group, 0)
        return group

    def _add_resumed(self, space: Space, group: Group, socket: int, moved: MovedListener) -> None:
        if moved.sealing is not None:
            self._sealed.take(socket, moved.sealing)
        if moved.rest is None:
            group.sockets.append(socket)
        else:
            group.behind[socket] = Behind(moved.rest, moved.skips)
        if moved.stamps != space.stamps:
            space.stamps = moved.stamps
        self._listeners[socket] = Listener(space, group, space.stamps)
        self._slot_listeners[group.slot] += 1
        space.listeners += 1


def _waiting_alike(waiting: Sequence[Waiting], listeners_max: int) -> tuple[Moved, list[int]]:
    """Those who wait for the first sound of a Space, and have not been written to at all."""
    first = waiting[0].arrival
    alike = [each for each in waiting if _kind(each.arrival) == _kind(first)][:listeners_max]
    listeners = [
        MovedListener(each.arrival.stamps, each.arrival.pending, 0, each.arrival.sealing) for each in alike
    ]
    return Moved(first.space_id, first.form, first.chunked, listeners), [each.socket for each in alike]


def _kind(arrival: Arrival) -> tuple[str, bool]:
    return arrival.form, arrival.chunked


def _arrival(moved: Moved, listener: MovedListener) -> Arrival:
    return Arrival(
        moved.space_id, moved.form, moved.chunked, listener.stamps, listener.rest or b"", listener.sealing
    )
