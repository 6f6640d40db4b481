"""The scene of the sweep (sweep.py), with one of everything in it."""

import shutil
import sqlite3
import tempfile
from contextlib import AbstractContextManager, closing
from pathlib import Path

import msgspec
from litestar import Litestar
from sqlalchemy import make_url
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.surfaces.sweep import MAKERS, Scene

from folkmoot.storage.database import Database
from folkmoot.surfaces.services import Services

# What of a scene lies beside its database.
_DIRECTORIES = ("media", "tapes")


class Kept(msgspec.Struct):
    """A scene as it was staged: on SQLite, the next test of this process begins with it instead of staging it."""

    rows: sqlite3.Connection
    files: tempfile.TemporaryDirectory[str]
    scene: Scene

    @classmethod
    def of(cls, scene: Scene) -> "Kept":
        kept = cls(sqlite3.connect(":memory:"), tempfile.TemporaryDirectory(), scene)
        with _file_of(scene.services.database) as file:
            file.backup(kept.rows)
        for name in _DIRECTORIES:
            _copy(scene.services.tapes_directory.parent / name, Path(kept.files.name) / name)
        return kept

    def put_into(self, scene: Scene) -> None:
        with _file_of(scene.services.database) as file:
            self.rows.backup(file)
        for name in _DIRECTORIES:
            _copy(Path(self.files.name) / name, scene.services.tapes_directory.parent / name)
        staged = self.scene
        scene.account, scene.stranger = staged.account, staged.stranger
        scene.follower, scene.moderator = staged.follower, staged.moderator
        scene.made, scene.canaries = dict(staged.made), set(staged.canaries)
        scene.of = {thing: set(words) for thing, words in staged.of.items()}


_KEPT: list[Kept] = []


async def staged(app: Litestar, services: Services, people: People) -> Scene:
    """Everything in it was made a second ago: the ids of that moment are given out."""
    scene = Scene(app, services, people)
    if _KEPT and services.database.is_sqlite:
        _KEPT[0].put_into(scene)
    else:
        for maker in MAKERS:
            await maker(scene)
        if services.database.is_sqlite:
            _KEPT.append(Kept.of(scene))
    assert isinstance(services.clock_ms, FakeClock)
    services.clock_ms.advance_ms(1_000)
    return scene


def _file_of(database: Database) -> AbstractContextManager[sqlite3.Connection]:
    return closing(sqlite3.connect(str(make_url(database.url).database)))


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, dirs_exist_ok=True)
