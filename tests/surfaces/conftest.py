"""The whole web application on each database, asked over HTTP without a socket."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import httpx
import msgspec
import pytest
from argon2 import PasswordHasher
from litestar import Litestar
from tests.support.people import People
from tests.support.web import BASE_URL, visitor

from folkmoot.accounts.marks import Marks
from folkmoot.accounts.passwords import Passwords
from folkmoot.accounts.second_factor.codes import Seal
from folkmoot.app import build_app
from folkmoot.audience.wire import Report
from folkmoot.gate import Gate, LeaseBook, Register, Stamp, Surface
from folkmoot.media.cache import Cache
from folkmoot.media.depot import Depot
from folkmoot.media.processing import Workshop
from folkmoot.posts.emojis.book import EmojiBook
from folkmoot.recordings.live_tapes import LiveTapes
from folkmoot.stage.engine import Answer
from folkmoot.stage.ice_servers import IceServers
from folkmoot.storage.database import Database
from folkmoot.storage.objects import ObjectStore
from folkmoot.surfaces.networks import Networks
from folkmoot.surfaces.services import Services, Site
from folkmoot.surfaces.spaces.hub import Hub


class FakeStages:
    """Answers every offer, and remembers what it was asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.continued: list[str | None] = []
        self.generations: dict[int, int] = {}
        self.full: set[int] = set()

    async def offer(
        self, space_id: int, seat: int, sdp: str, stamps: tuple[Stamp, ...], continues: str | None = None
    ) -> Answer:
        self.calls.append(("offer", space_id, seat, sdp, stamps))
        self.continued.append(continues)
        return Answer("v=0\r\n", f"connection{len(self.calls)}")

    async def listen(self, space_id: int, sdp: str, stamps: tuple[Stamp, ...], address: str) -> Answer:
        self.calls.append(("listen", space_id, sdp, stamps))
        return Answer("v=0\r\n", f"connection{len(self.calls)}")

    async def hang_up(self, space_id: int, seat: int) -> None:
        self.calls.append(("hang_up", space_id, seat))

    async def hang_up_connection(self, space_id: int, connection: str) -> None:
        self.calls.append(("hang_up_connection", space_id, connection))

    async def react(self, space_id: int, reaction: str) -> None:
        self.calls.append(("react", space_id, reaction))

    def reactions(self, space_id: int) -> Mapping[str, int]:
        return Counter(str(call[2]) for call in self.calls if call[:2] == ("react", space_id))

    def tape_full(self, space_id: int) -> bool:
        return space_id in self.full

    def generation(self, space_id: int) -> int | None:
        return self.generations.get(space_id)


class FakeListening:
    """As many listeners as a test says."""

    def __init__(self) -> None:
        self.by_space: dict[int, int] = {}
        self.estimates: dict[int, int] = {}
        self.playlists: list[tuple[int, float]] = []

    def counts(self) -> Mapping[int, int]:
        return self.by_space

    def estimated(self) -> Mapping[int, int]:
        return self.estimates

    def by_hls(self, space_id: int, every_s: float) -> None:
        self.playlists.append((space_id, every_s))

    def reports(self) -> Sequence[Report]:
        """Two workers, who say the same."""
        metrics = {"received": 3, "parts": 70, "writes": 7, "bytes": 9_000, "skipped": 4, "slow": 2, "moved": 1}
        one = Report(
            received=3,
            connected=2,
            listeners_max=100,
            listeners={1: 2},
            metrics=metrics,
            lateness=(1, 1, 0, 0, 0, 0, 0, 0, 0, 0),
            delays=(0, 0, 0, 60, 0, 9, 1, 0, 0),
            ticks=(0, 4, 0, 2, 0, 0, 0, 0, 0, 1),
        )
        return [one, one]

    def room(self) -> int:
        return 150


@pytest.fixture
def stages() -> FakeStages:
    return FakeStages()


@pytest.fixture
def listening() -> FakeListening:
    return FakeListening()


SITE = Site(
    base_url=BASE_URL,
    title="Moot",
    registrations="open",
    source_url="https://source.test/folkmoot",
    version="0.0.1",
    inviting="everybody",
)


ICE = IceServers(("stun:stun.test", "turn:turn.test"), "the TURN server's secret")


def services_on(database: Database, directory: Path) -> Services:
    """Everything a surface may touch, with fakes for other processes."""
    leases = LeaseBook()
    objects = ObjectStore.open(str(directory / "media"))
    return Services(
        site=msgspec.structs.replace(SITE, emojis=EmojiBook()),
        database=database,
        gate=Gate(database),
        register=Register(),
        objects=objects,
        remote_media=Cache(directory / "remote-media", 1_000_000, database.clock_ms),
        depot=Depot(objects, Workshop(directory / "work", 2)),
        stages=FakeStages(),
        listening=FakeListening(),
        leases=leases,
        networks=Networks(database, leases),
        marks=Marks(b"m" * 32),
        hub=Hub(),
        tapes_directory=directory / "tapes",
        live_tapes=LiveTapes(),
        ticket_key=b"k" * 32,
        seal=Seal(b"s" * 32),
        clock_ms=database.clock_ms,
        ice_servers=lambda viewer: ICE.for_use("somebody", 0) if viewer.account_id else (),
    )


@pytest.fixture(scope="session")
def built_app(tmp_path_factory: pytest.TempPathFactory) -> Litestar:
    """Built once: that takes longer than most tests. Each test puts its own services into it."""
    directory = tmp_path_factory.mktemp("app")
    database = Database(f"sqlite+aiosqlite:///{directory}/never_opened.db")
    return build_app(services_on(database, directory), passwords=Passwords())


@pytest.fixture(scope="session")
def surfaces(built_app: Litestar) -> list[Surface]:
    """What the application registered when it was built."""
    return list(built_app.state.equipment.services.register)


@pytest.fixture
def services(
    database: Database,
    tmp_path: Path,
    surfaces: list[Surface],
    stages: FakeStages,
    listening: FakeListening,
) -> Services:
    (tmp_path / "tapes").mkdir()
    register = Register()  # a copy: a test may add to it
    for surface in surfaces:
        register.add(surface)
    return msgspec.structs.replace(
        services_on(database, tmp_path),
        register=register,
        stages=stages,
        listening=listening,
    )


@pytest.fixture(scope="session", autouse=True)
def _hashed_quickly() -> Iterator[None]:
    """argon2id with the least work there is."""
    with pytest.MonkeyPatch.context() as patch:
        least = partial(PasswordHasher, time_cost=1, memory_cost=8, parallelism=1)
        patch.setattr("folkmoot.accounts.passwords.PasswordHasher", least)
        yield


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    passwords = Passwords()
    yield passwords
    passwords.close()


@pytest.fixture
def app(built_app: Litestar, services: Services, passwords: Passwords) -> Litestar:
    built_app.state.equipment.use(services, passwords)
    return built_app


@pytest.fixture
async def client(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    """A browser without cookies, or a program: nobody until it shows a token."""
    async with visitor(app) as client:
        yield client


@pytest.fixture
def people(services: Services) -> People:
    return People(services.gate)


class Person(msgspec.Struct, frozen=True):
    """An account, and the header that a program of theirs shows."""

    id: int
    username: str
    headers: dict[str, str]


async def person(people: People, username: str) -> Person:
    account_id = await people.create(username)
    return Person(account_id, username, {"Authorization": f"Bearer {await people.token(account_id)}"})


@pytest.fixture
async def alice(people: People) -> Person:
    return await person(people, "alice")


@pytest.fixture
async def bob(people: People) -> Person:
    return await person(people, "bob")
