"""A program's token opens what its scopes say, and whatever shows something says which scope that is."""

import httpx
import pytest
from litestar import Litestar
from tests.support.people import People
from tests.surfaces.asking import ask
from tests.surfaces.conftest import Person

from folkmoot.gate import Action, Serves, Surface
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.spaces.listen import LISTEN

SPACES = "/api/folkmoot/v1/spaces"
PUBLIC = "shows what somebody without an account sees, whoever asks"
MASTODONS = "public, and any token says besides what the person did with it, as Mastodon's does"
WITHOUT_SCOPE = {
    "GET /api/v1/accounts/verify_credentials": "any of three scopes opens it: the handler asks itself",
    "GET /api/oembed": PUBLIC,
    "GET /embed/{post_id}": PUBLIC,
    "GET /api/v1/trends": PUBLIC,
    "GET /api/v1/trends/tags": PUBLIC,
    "GET /api/v1/trends/links": PUBLIC,
    "GET /api/v1/trends/statuses": MASTODONS,
    "GET /api/v1/tags/{name}": MASTODONS,
    "GET /portraits/{account_id}/{name}": "anybody's in Mastodon; of limited accounts for followers",
    "GET /{handle}": PUBLIC,
    "GET /{handle}/followers": PUBLIC,
    "GET /{handle}/following": PUBLIC,
    "GET /{handle}/media": PUBLIC,
    "GET /{handle}/tagged/{tag}": PUBLIC,
    "GET /{handle}/with_replies": PUBLIC,
    "GET /{handle}/{post_id}": PUBLIC,
}


def test_what_shows_something_names_a_scope(surfaces: list[Surface]) -> None:
    silent = {
        surface.name
        for surface in surfaces
        if surface.serves in (Serves.ANYONE, Serves.SIGNED_IN)
        and surface.action in (Action.READ, Action.LISTEN)
        and not surface.scope
    }
    assert silent == WITHOUT_SCOPE.keys()


def test_what_changes_something_for_a_person_names_a_scope(surfaces: list[Surface]) -> None:
    assert {
        one.name for one in surfaces if one.serves is Serves.SIGNED_IN and not one.scope
    } <= WITHOUT_SCOPE.keys()


@pytest.mark.parametrize("scopes", ["profile", "write", "read:accounts"])
async def test_a_token_for_something_else_reads_no_space(
    app: Litestar, client: httpx.AsyncClient, services: Services, people: People, alice: Person, scopes: str
) -> None:
    made = await client.post(SPACES, json={"title": "The Moot", "start": True}, headers=alice.headers)
    space = f"{SPACES}/{made.json()['id']}"
    headers = {"Authorization": f"Bearer {await people.token(alice.id, scopes)}"}
    paths = [SPACES, space, f"{space}/seats", f"{space}/waveform", f"{space}/hls/index.m3u8", f"{space}/events"]
    answers = [await client.get(path, headers=headers) for path in paths]
    answers.append(await client.post(f"{space}/join", headers=headers))
    assert [answer.status_code for answer in answers] == [403] * len(answers)
    assert {answer.json()["code"] for answer in answers} == {"insufficient_scope"}
    lower = {"authorization": headers["Authorization"]}
    listening = await ask(app, services, LISTEN.name, f"{space}/listen?codec=opus", lower)
    assert listening.status == 403
    assert (await client.get(space)).status_code == 200
