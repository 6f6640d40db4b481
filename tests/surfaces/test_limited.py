"""A limited account is seen by its followers only, and stands in no public list; what it can do is untouched."""

import msgspec
import pytest
from litestar import Litestar
from tests.support.people import People
from tests.surfaces.staging import staged
from tests.surfaces.sweep import Scene
from tests.surfaces.swept import API, SPACE, USERNAME
from tests.surfaces.test_sweep import found_in, look

from folkmoot.gate import Standing
from folkmoot.surfaces.services import Services

# On the default database alone: what it asks PostgreSQL, others ask it too, statement by statement.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

PUBLIC_LISTS = {
    "/api/v1/timelines/public",
    f"{API}/spaces",
    f"{API}/spaces?state=ended",
    f"{API}/spaces?state=scheduled",
}


@pytest.fixture
async def scene(app: Litestar, services: Services, people: People) -> Scene:
    scene = await staged(app, services, people)
    await people.put(scene.account, Standing.LIMITED)
    return scene


async def test_strangers_find_nothing_of_it_on_any_surface(scene: Scene) -> None:
    shown = {"anonymous": None, "stranger": await scene.people.token(scene.stranger)}
    asked = 0
    async for one in look(scene, shown):
        asked += 1
        assert not found_in(scene, one), one
    assert asked > 100


@pytest.mark.slow
async def test_followers_find_all_of_it_but_in_no_public_list(scene: Scene) -> None:
    found, listed = await _found_by_a_follower(scene)
    assert listed == set()
    await scene.people.put(scene.account, Standing.ACTIVE)
    before, listed = await _found_by_a_follower(scene)
    assert listed, "lists that never hold anything prove nothing"
    assert found == before


async def _found_by_a_follower(scene: Scene) -> tuple[set[str], set[str]]:
    """What is found anywhere, and what of the account's own things is found in a public list."""
    found, listed = set(), set()
    async for one in look(scene, {"follower": await scene.people.token(scene.follower)}):
        words = {canary for canary, _, _ in found_in(scene, one)}
        found |= words
        if one.path in PUBLIC_LISTS:
            listed |= words
    # On somebody else's stage it is named to whoever follows it.
    return found, listed - {USERNAME, "canaryname", "canarynote", "canaryfieldname", "canaryfieldvalue"}


async def test_it_speaks_in_others_spaces_as_before(scene: Scene) -> None:
    token = await scene.people.token(scene.account)
    whip = f"{API}/spaces/{scene.made['strangers_space']}/whip"
    assert (await scene.open(f"POST {SPACE}/whip", whip, token)).opened
    seats = f"{API}/spaces/{scene.made['strangers_space']}/seats"
    by_follower = await scene.open(f"GET {SPACE}/seats", seats, await scene.people.token(scene.follower))
    (seat,) = [one for one in msgspec.json.decode(by_follower.body)["seats"] if one["account"]["acct"] == USERNAME]
    assert not seat["sanctioned"]
