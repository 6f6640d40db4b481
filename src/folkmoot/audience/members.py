"""What the fan-out keeps of a listener, and of a Space that has listeners here."""

from __future__ import annotations

import msgspec

from folkmoot.audience import windows
from folkmoot.audience.groups import Feed, Group
from folkmoot.audience.live import IDLE, LiveTape
from folkmoot.audience.wire import Arrival, Stamp

BACKLOG_PARTS_MAX = 20  # two of the longest windows


class Listener(msgspec.Struct, gc=False):
    space: Space
    group: Group
    stamps: tuple[Stamp, ...]


class Waiting(msgspec.Struct):
    socket: int
    arrival: Arrival
    since_ms: int


class Space:
    """A Space that has listeners here: its tape, a feed for each form in use, its groups."""

    def __init__(self, space_id: int, tape: LiveTape) -> None:
        self.space_id = space_id
        self.tape = tape
        self.feeds: dict[str, Feed] = {}
        self.groups: list[Group] = []
        self.listeners = 0
        self.beat_ms = 0
        self.looked_ms = 0
        self.stamps: tuple[Stamp, ...] = ()  # what anonymous listeners share

    def look(self, now_ms: int, *, takes: bool) -> bool:
        """Whether the tape has ended. What is new on it is taken over where that is asked for, or it has."""
        self.looked_ms = now_ms
        if takes:
            self.refresh(now_ms)
        else:
            self.tape.refresh()
        if self.tape.ended:
            self.refresh(now_ms)  # it may have ended between a look at one codec and at the other
        return self.tape.ended

    def was_seen_going_on(self, now_ms: int) -> bool:
        """Whether the tape was looked at within the last tick, and had not ended."""
        return now_ms - self.looked_ms < windows.TICK_MS and not self.tape.ended

    def refresh(self, now_ms: int) -> None:
        self.tape.refresh()
        appended = False
        for form, feed in self.feeds.items():
            for part in self.tape.take(form, BACKLOG_PARTS_MAX):
                feed.append(part)
                appended = True
        if appended:
            self.beat_ms = windows.next_beat_ms(self.beat_ms, now_ms)

    def feed(self, form: str) -> Feed | None:
        feed = self.feeds.get(form)
        if feed is None:
            init = self.tape.init(form)
            if init is None:
                return None
            feed = self.feeds[form] = Feed(init, BACKLOG_PARTS_MAX, IDLE.get(form, b""))
            for part in self.tape.take(form, BACKLOG_PARTS_MAX):
                feed.append(part)
        return feed

    def next_part(self, group: Group) -> int:
        """The number on the tape of the part that a group gets next."""
        feed = group.feed
        return self.tape.position(self.form_of(feed)) - (feed.end - group.cursor)

    def form_of(self, feed: Feed) -> str:
        return next(form for form, each in self.feeds.items() if each is feed)
