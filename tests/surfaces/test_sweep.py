"""The sweep: an account that published all it can is suspended; every surface is opened as every kind of viewer.

The register says which surfaces there are, swept.py how each is opened, sweep.py what is hidden. A surface that is
registered and not described there fails.
"""

import hashlib
import sqlite3
from collections.abc import AsyncIterator, Iterator

import msgspec
import pytest
from litestar import Litestar
from sqlalchemy import make_url, select, text
from tests.support.people import People
from tests.surfaces.asking import Answer
from tests.surfaces.staging import staged
from tests.surfaces.sweep import HELD, HeldKey, Scene
from tests.surfaces.swept import ADDRESSES, BODIES, Address, addresses_of

from folkmoot.gate import Action, Register, Serves, Standing, Surface
from folkmoot.gate.register import Key
from folkmoot.gate.standings import TABLE
from folkmoot.storage.database import Database
from folkmoot.storage.tables import metadata
from folkmoot.surfaces.services import Services

# What these ask PostgreSQL, the others here ask it too, statement by statement.
ON_ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
REFUSALS = frozenset({401, 403, 404, 410})


class Opened(msgspec.Struct, frozen=True):
    """A surface, opened at an address by somebody."""

    surface: Surface
    address: Address
    path: str
    who: str
    answer: Answer

    def __repr__(self) -> str:
        return f"{self.surface.name} at {self.path} by {self.who}: {self.answer.status} {self.answer.body[:200]!r}"


@pytest.fixture
async def scene(app: Litestar, services: Services, people: People, monkeypatch: pytest.MonkeyPatch) -> Scene:
    # The pages are there whether the client is built or not.
    monkeypatch.setattr(
        "folkmoot.surfaces.pages.pages._shell", lambda: "<title>Folkmoot</title><!--head-->", raising=False
    )
    return await staged(app, services, people)


async def tokens(scene: Scene) -> dict[str, str | None]:
    """What everybody shows who looks; `itself` is the account, signed in anew."""
    return {
        "anonymous": None,
        "stranger": await scene.people.token(scene.stranger),
        "follower": await scene.people.token(scene.follower),
        "moderator": await scene.people.token(scene.moderator),
        "itself": await scene.people.token(scene.account),
    }


def reads(scene: Scene) -> Iterator[tuple[Surface, Address, str]]:
    return (entry for entry in _every(scene) if entry[0].name.startswith("GET "))


def writes(scene: Scene) -> Iterator[tuple[Surface, Address, str]]:
    return (entry for entry in _every(scene) if not entry[0].name.startswith("GET "))


def _every(scene: Scene) -> Iterator[tuple[Surface, Address, str]]:
    for surface in scene.services.register:
        for address in addresses_of(surface):
            yield surface, address, address.path.format_map(scene.made)


async def look(scene: Scene, shown: dict[str, str | None], cookie: bool = False) -> AsyncIterator[Opened]:
    """Open every reading surface as everybody in `shown`."""
    for surface, address, path in reads(scene):
        for who, token in shown.items():
            shows = {"credential": None, "cookie": token} if cookie else {"credential": token}
            yield Opened(surface, address, path, who, await scene.open(surface.name, path, **shows))


def found_in(scene: Scene, one: Opened) -> set[tuple[str, str, str]]:
    """(canary, path, who) of the canaries in an answer; what the address itself says may be said back."""
    return {
        (canary, one.path, one.who)
        for canary in scene.canaries
        if canary not in one.path and one.answer.says(canary)
    }


@ON_ONE
def test_every_surface_says_where_it_is_opened(scene: Scene) -> None:
    for surface in scene.services.register:
        assert addresses_of(surface)
    names = {surface.name for surface in scene.services.register}
    unknown = (ADDRESSES.keys() | BODIES.keys()) - names
    assert {name for name in unknown if not _is_page(name)} == set()


def _is_page(name: str) -> bool:
    """Pages are registered where the client is built into the application."""
    return not name.partition(" ")[2].startswith(("/api/", "/oauth/", "/media/", "/embed/"))


@ON_ONE
def test_a_surface_that_is_not_described_fails(scene: Scene) -> None:
    register = Register()
    register.add(Surface("route", "GET /api/v9/{new_id}", Serves.ANYONE, Action.READ))
    scene.services = msgspec.structs.replace(scene.services, register=register)
    with pytest.raises(AssertionError, match="is not swept"):
        list(reads(scene))


@pytest.mark.slow
async def test_suspended_it_is_nowhere_and_let_back_in_it_is_where_it_was(scene: Scene) -> None:
    before = await everything_there(scene)
    assert scene.canaries == {canary for canary, _, _ in before}, "canaries that nobody ever sees prove nothing"
    shown = await tokens(scene)
    old = shown.pop("itself")
    await scene.people.put(scene.account, Standing.SUSPENDED)
    async for one in look(scene, shown):
        if one.surface.serves is Serves.MODERATOR and one.who == "moderator":
            continue  # who judges it has to see it
        assert not found_in(scene, one), one
        assert not one.address.own or one.answer.status in REFUSALS, one
    async for one in look(scene, {"its old token": old}):
        assert one.surface.serves in (Serves.NOBODY, Serves.ALIKE) or one.answer.status == 401, one
        assert not found_in(scene, one), one
    async for one in look(scene, {"its old cookie": old}, cookie=True):
        assert not found_in(scene, one), one
    async for one in look(scene, {"its new token": await scene.people.token(scene.account)}):
        if one.surface.serves is Serves.ALIKE:
            assert not one.address.own or one.answer.status in REFUSALS, one
            continue
        assert _may_open(one.surface) or one.answer.status in (401, 403), one
    await scene.people.put(scene.account, Standing.ACTIVE)
    # But for its invite: what was given out before the suspension stays dead.
    back = {seen for seen in before if scene.made["invite_code"] not in seen[1]}
    assert await everything_there(scene) == back


async def everything_there(scene: Scene) -> set[tuple[str, str, str]]:
    """Where every canary is found while the account is in good standing: all that is its own opens for somebody."""
    found: set[tuple[str, str, str]] = set()
    opened: dict[str, bool] = {}
    shown = await tokens(scene)
    async for one in look(scene, {who: shown[who] for who in ("anonymous", "follower", "itself")}):
        assert one.answer.status < 500, one
        assert one.answer.status != 429, one
        found |= found_in(scene, one)
        if one.address.own:
            opened[one.path] = opened.get(one.path, False) or one.answer.opened
    assert [path for path, was_open in opened.items() if not was_open] == [], "own() addresses that open for nobody"
    return found


@pytest.mark.slow
async def test_suspended_it_does_nothing_any_more(scene: Scene, database: Database) -> None:
    old = await scene.people.token(scene.account)
    await scene.people.put(scene.account, Standing.SUSPENDED)
    new = await scene.people.token(scene.account)
    before, written = await fingerprint(database), Written(database)
    for surface, address, path in writes(scene):
        for who, token in (("its old token", old), ("its new token", new)):
            if surface.serves is Serves.NOBODY or (token is new and _may_open(surface)):
                continue
            one = Opened(surface, address, path, who, await scene.open(surface.name, path, token))
            assert one.answer.status == (401 if token is old else 403), f"{one}: a body in BODIES?"
            assert not await written.since() or await fingerprint(database) == before, one


@ON_ONE
@pytest.mark.parametrize("kind", Key)
async def test_what_it_held_is_dead_and_stays_dead(scene: Scene, kind: Key) -> None:
    token = await scene.people.token(scene.account)
    assert (await use(scene, await HELD[kind](scene, token))).opened
    # Another one: a code and a resume token are spent by their first use.
    key = await HELD[kind](scene, token)
    for standing in (Standing.SUSPENDED, Standing.ACTIVE):
        await scene.people.put(scene.account, standing)
        assert (await use(scene, key)).status in REFUSALS | {400}, (key, standing)


async def use(scene: Scene, key: HeldKey) -> Answer:
    return await scene.open(key.surface, key.path, key.bearer, body=key.body)


@ON_ONE
@pytest.mark.slow
async def test_an_old_token_opens_nothing_also_after_the_lift(scene: Scene) -> None:
    token = await scene.people.token(scene.account)
    for standing in (Standing.SUSPENDED, Standing.ACTIVE):
        await scene.people.put(scene.account, standing)
        for one in [one async for one in look(scene, {"its old token": token})]:
            assert one.surface.serves in (Serves.NOBODY, Serves.ALIKE) or one.answer.status == 401, one


@ON_ONE
@pytest.mark.slow
async def test_what_it_signed_in_with_while_suspended_opens_nothing_after_the_lift(scene: Scene) -> None:
    await scene.people.put(scene.account, Standing.SUSPENDED)
    token = await scene.people.token(scene.account)
    for standing in (Standing.LIMITED, Standing.ACTIVE):
        await scene.people.put(scene.account, standing)
        for one in [one async for one in look(scene, {"its room's token": token})]:
            assert one.surface.serves in (Serves.NOBODY, Serves.ALIKE) or one.answer.status == 401, one


async def test_what_it_said_elsewhere_stays_and_says_whose_it_is_not(scene: Scene) -> None:
    await scene.people.put(scene.account, Standing.SUSPENDED)
    path = f"/api/folkmoot/v1/spaces/{scene.made['strangers_space']}/seats"
    answer = await scene.open("GET /api/folkmoot/v1/spaces/{space_id}/seats", path, None)
    seats = msgspec.json.decode(answer.body)["seats"]
    assert {"seat": int(scene.made["seat"]), "account": None, "sanctioned": True} in seats


def _may_open(surface: Surface) -> bool:
    """Whether a suspended account that signed in anew keeps what the surface is for."""
    return surface.serves is Serves.NOBODY or surface.action in TABLE[Standing.SUSPENDED].actions


class Written:
    """Whether something was written, by what databases count themselves: to read everything anew takes long."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._file = sqlite3.connect(str(make_url(database.url).database)) if database.is_sqlite else None
        self._count = -1

    async def since(self) -> bool:
        """Since it was asked the last time; also if it was taken back, and the first time."""
        before, self._count = self._count, await self._counted()
        return self._count != before

    async def _counted(self) -> int:
        if self._file is not None:
            return int(self._file.execute("PRAGMA data_version").fetchone()[0])
        async with self._database.read() as read:
            newest = text("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
            return int((await read.connection.execute(newest)).scalar_one())


async def fingerprint(database: Database) -> str:
    """Of everything that is stored."""
    known = hashlib.sha256()
    async with database.read() as read:
        for table in metadata.sorted_tables:
            rows = await read.connection.execute(select(table))
            known.update("\n".join(sorted(map(repr, rows.all()))).encode())
    return known.hexdigest()
