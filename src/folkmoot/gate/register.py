"""The register of surfaces: every way in says whom it serves, or the program doesn't start.

The sweep test reads it: with an account suspended and a canary in everything it published, every surface is opened
as every kind of viewer, and the canary is found nowhere.
"""

from collections.abc import Iterator
from enum import StrEnum, auto
from typing import Literal

import msgspec

from folkmoot.gate.model import Action, Serves
from folkmoot.gate.standings import TABLE

Kind = Literal["route", "stream"]


class Key(StrEnum):
    """Everything that opens a door for an account by itself. The sweep test holds one of each, and has to find it
    dead after a suspension and after the lift: a kind that it has no maker for fails the build."""

    TOKEN = auto()
    CODE = auto()
    LISTEN_TICKET = auto()
    MEDIA_LINK = auto()
    INVITE = auto()
    RESUME_TOKEN = auto()
    PUBLISHING_TOKEN = auto()


class Surface(msgspec.Struct, frozen=True):
    """One way in: an HTTP route ("GET /api/v1/statuses/{id}") or a stream."""

    kind: Kind
    name: str
    serves: Serves
    action: Action
    scope: str = ""  # the OAuth scope that a program's token needs for it


class Unregistered(Exception):
    """A surface exists that does not say whom it serves: the program must not start."""


class Register:
    """Filled while the program is wired, read afterwards."""

    def __init__(self) -> None:
        self._surfaces: dict[tuple[Kind, str], Surface] = {}

    def add(self, surface: Surface) -> None:
        """Raises Unregistered for a name that is taken, and for what would let the wrong people in."""
        _check(surface)
        key = (surface.kind, surface.name)
        if key in self._surfaces:
            raise Unregistered(f"{surface.kind} {surface.name} is registered twice")
        self._surfaces[key] = surface

    def __iter__(self) -> Iterator[Surface]:
        return iter(self._surfaces.values())

    def __len__(self) -> int:
        return len(self._surfaces)


# What a room for those who lost their standing can be for: whatever some of them keep.
_ROOM_ACTIONS = frozenset().union(
    *(rights.actions for rights in TABLE.values() if Action.READ not in rights.actions)
)


def _check(surface: Surface) -> None:
    moderates = surface.action is Action.MODERATE
    if moderates != (surface.serves is Serves.MODERATOR):
        # `MODERATOR` with an action that everybody keeps would serve everybody.
        raise Unregistered(f"{surface.name}: moderators' surfaces declare Action.MODERATE, and only they do")
    if surface.serves is Serves.ROOM and surface.action not in _ROOM_ACTIONS:
        raise Unregistered(f"{surface.name}: who is kept out can't {surface.action.value}, so this is no room")
