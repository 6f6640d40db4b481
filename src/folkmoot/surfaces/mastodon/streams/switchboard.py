"""Who is there, and what they follow: in the web process. It says things; what may be said to whom is decided
before (`broadcast.py`)."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Protocol

from folkmoot.gate import Refused, Viewer
from folkmoot.surfaces.mastodon.streams.channels import Channel, Following
from folkmoot.surfaces.mastodon.streams.message import Message

CONNECTIONS_OF_AN_ACCOUNT_MAX = 32
CHANNELS_OF_A_CONNECTION_MAX = 64


class Line(Protocol):
    """One end of a connection. Neither waits: whoever reads too slowly is cut off."""

    viewer: Viewer

    def say(self, message: Message, label: tuple[str, ...]) -> None: ...

    def send_away(self) -> None: ...


class Switchboard:
    """All streams that are open in this process."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self._following: dict[Channel, dict[Line, tuple[str, ...]]] = {}
        self._channels: dict[Line, set[Channel]] = {}
        self._by_account: Counter[int] = Counter()
        self._chance = chance
        self._sends_away = False

    def __len__(self) -> int:
        return len(self._channels)

    def require_room(self, viewer: Viewer) -> None:
        """Raises Refused 429 where somebody has too many open."""
        if self._by_account[viewer.id] >= CONNECTIONS_OF_AN_ACCOUNT_MAX:
            raise Refused("too_many_streams", "You follow this in too many windows already.", status=429)

    def open(self, line: Line) -> None:
        """Raises Refused 429 as above."""
        self.require_room(line.viewer)
        self._channels[line] = set()
        self._by_account[line.viewer.id] += 1
        if self._sends_away:
            line.send_away()  # it came on a connection that was open already

    def close(self, line: Line) -> None:
        for channel in self._channels.pop(line, ()):
            self._leave(line, channel)
        self._by_account[line.viewer.id] -= 1
        if not self._by_account[line.viewer.id]:
            del self._by_account[line.viewer.id]

    def follow(self, line: Line, wanted: Following) -> None:
        """Raises Refused 400 where one connection follows too much."""
        channels = self._channels[line]
        if wanted.channel not in channels and len(channels) >= CHANNELS_OF_A_CONNECTION_MAX:
            raise Refused("too_many_streams", "One connection follows no more than this.", status=400)
        channels.add(wanted.channel)
        self._following.setdefault(wanted.channel, {})[line] = wanted.label

    def unfollow(self, line: Line, channel: Channel) -> None:
        if channel in self._channels[line]:
            self._channels[line].remove(channel)
            self._leave(line, channel)

    def lines(self, channel: Channel) -> list[tuple[Line, tuple[str, ...]]]:
        """Who follows a channel, each with what the channel is called to them."""
        return list(self._following.get(channel, {}).items())

    def followed(self, name: str) -> list[Channel]:
        """The channels of a name that somebody follows."""
        return [channel for channel in self._following if channel.name == name]

    def say(self, channels: Iterable[Channel], message: Message) -> None:
        """To all who follow one of the channels: for what is no secret to any of them."""
        for channel in channels:
            for line, label in self.lines(channel):
                line.say(message, label)

    def send_away(self, within_s: float) -> None:
        """Have all streams end, each at a moment of its own: whoever follows comes back to the next process."""
        self._sends_away = True
        loop = asyncio.get_running_loop()
        for line in list(self._channels):
            loop.call_later(self._chance() * within_s, line.send_away)

    def _leave(self, line: Line, channel: Channel) -> None:
        del self._following[channel][line]
        if not self._following[channel]:
            del self._following[channel]
