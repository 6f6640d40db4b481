"""WHIP over HTTP on both databases, with a fake stage: who may connect a seat, and with what."""

import asyncio
from typing import Any

import httpx
import pytest
from msgspec.structs import replace
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.surfaces.conftest import FakeStages, Person
from tests.surfaces.spaces.conftest import SPACES, Hall

from folkmoot.gate import Refused, Standing
from folkmoot.gate.model import resume_subject, seat_subject
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.spaces import seat_tokens

OFFER = "v=0\r\n"
RESUME = "Folkmoot-Resume-Token"


class Stage:
    """A live Space of one host, and offers to it."""

    def __init__(self, hall: Hall, host: Person, space_id: str) -> None:
        self.hall = hall
        self.host = host
        self.space_id = space_id
        self.whip = f"{SPACES}/{space_id}/whip"

    async def offer(self, headers: dict[str, str], whip: str | None = None) -> httpx.Response:
        shown = {**headers, "Content-Type": "application/sdp"}
        return await self.hall.client.post(whip or self.whip, content=OFFER, headers=shown)

    async def resume(self, token: str, whip: str | None = None) -> httpx.Response:
        return await self.offer(bearer(token), whip)

    async def token(self) -> str:
        answer = await self.offer(self.host.headers)
        assert answer.status_code == 201, answer.text
        return answer.headers[RESUME]

    async def command(self, who: Person, **order: Any) -> None:
        path = f"{SPACES}/{self.space_id}/commands"
        answer = await self.hall.client.post(path, json=order, headers=who.headers)
        assert answer.status_code == 200, answer.text


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def assert_over(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["code"]) == (401, "seat_token_over")
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.fixture
async def stage(hall: Hall, alice: Person) -> Stage:
    return Stage(hall, alice, await hall.live(alice))


async def test_a_resume_token_connects_the_same_seat_once(stage: Stage, stages: FakeStages) -> None:
    token = await stage.token()
    resumed = await stage.resume(token)
    assert resumed.status_code == 201
    assert resumed.headers["content-type"].startswith("application/sdp")
    first, second = (call for call in stages.calls if call[0] == "offer")
    assert first == second, "the same seat, hanging on the same stamps"
    assert_over(await stage.resume(token))
    assert (await stage.resume(resumed.headers[RESUME])).status_code == 201


async def test_of_two_uses_at_once_one_connects(stage: Stage, stages: FakeStages) -> None:
    token = await stage.token()
    answers = await asyncio.gather(*(stage.resume(token) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 401, 401, 401, 401]
    assert len([call for call in stages.calls if call[0] == "offer"]) == 2


async def test_resuming_ends_every_other_resume_token_of_the_seat(stage: Stage) -> None:
    older, newer = await stage.token(), await stage.token()
    assert (await stage.resume(newer)).status_code == 201
    assert_over(await stage.resume(older))


async def test_a_stage_that_is_away_costs_no_resume_token(
    stage: Stage, stages: FakeStages, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await stage.token()

    async def away(*_: object) -> str:
        raise Refused("stage_starting", "The stage is just starting.", status=503)

    with monkeypatch.context() as patched:
        patched.setattr(stages, "offer", away)
        answer = await stage.resume(token)
    assert (answer.status_code, answer.json()["code"]) == (503, "stage_starting")
    assert_over(await stage.resume(token))
    assert (await stage.resume(answer.headers[RESUME])).status_code == 201


async def test_what_is_no_offer_uses_up_nothing(stage: Stage) -> None:
    token = await stage.token()
    refused = await stage.hall.client.post(stage.whip, content="v=0", headers=bearer(token))
    assert refused.status_code == 415
    assert (await stage.resume(token)).status_code == 201


async def test_a_resume_token_ends_after_twelve_hours(stage: Stage, clock: FakeClock) -> None:
    early, late = await stage.token(), await stage.token()
    clock.advance_ms(seat_tokens.LASTS_SECONDS * 1000 - 1000)
    assert (await stage.resume(early)).status_code == 201
    clock.advance_ms(1000)
    assert_over(await stage.resume(late))


async def test_a_resume_token_ends_with_the_standing(stage: Stage, people: People) -> None:
    token = await stage.token()
    await people.put(stage.host.id, Standing.SUSPENDED)
    assert_over(await stage.resume(token))
    await people.put(stage.host.id, Standing.ACTIVE)
    assert_over(await stage.resume(token))


async def test_a_resume_token_ends_with_the_session_it_came_from(stage: Stage) -> None:
    token = await stage.token()
    assert (
        await stage.hall.client.delete("/api/folkmoot/v1/session", headers=stage.host.headers)
    ).status_code == 204
    assert_over(await stage.resume(token))


@pytest.mark.parametrize("how", ["step_down", "remove", "end"])
async def test_a_resume_token_ends_with_the_seat(stage: Stage, bob: Person, how: str) -> None:
    await stage.command(bob, do="ask", recording_consent=True)
    await stage.command(stage.host, do="let_up", account=str(bob.id))
    token = (await stage.offer(bob.headers)).headers[RESUME]
    if how == "step_down":
        await stage.command(bob, do="step_down")
    elif how == "remove":
        await stage.command(stage.host, do="remove", account=str(bob.id))
    else:
        await stage.command(stage.host, do="end")
    assert_over(await stage.resume(token))


async def test_a_resume_token_opens_nothing_else(stage: Stage, hall: Hall, bob: Person, services: Services) -> None:
    token = await stage.token()
    elsewhere = await hall.live(bob)
    assert_over(await stage.resume(token, f"{SPACES}/{elsewhere}/whip"))
    for method, path in (
        ("GET", f"{SPACES}/{stage.space_id}"),
        ("POST", f"{SPACES}/{stage.space_id}/join"),
        ("GET", "/api/v1/accounts/verify_credentials"),
    ):
        answer = await hall.client.request(method, path, headers=bearer(token))
        assert answer.status_code == 401, path
    forged = token[:-3] + ("abc" if not token.endswith("abc") else "cba")
    for wrong in (forged, "fmseat_", "fmseat_a.b.c", token.removeprefix("fmseat_")):
        assert (await stage.resume(wrong)).status_code == 401
    signed = seat_tokens.read(services.ticket_key, token, int(stage.space_id), services.clock_ms())
    other_key = seat_tokens.issue(b"x" * 32, signed, services.clock_ms())
    assert_over(await stage.resume(other_key))
    nobodys = replace(signed, stamps=())
    assert_over(await stage.resume(seat_tokens.issue(services.ticket_key, nobodys, services.clock_ms())))


async def test_with_a_token_of_the_seat_leaving_only_hangs_up(stage: Stage, stages: FakeStages) -> None:
    joined = await stage.offer(stage.host.headers)
    location, token = joined.headers["Location"], joined.headers[RESUME]
    left = await stage.hall.client.delete(location, headers=bearer(token))
    assert left.status_code == 200
    connection = location.rpartition("/")[2]
    assert stages.calls[-1] == ("hang_up_connection", int(stage.space_id), connection), "that one, and no newer one"
    assert (await stage.resume(token)).status_code == 201, "the seat is still there"
    assert (await stage.hall.client.delete(location, headers=stage.host.headers)).status_code == 200
    assert_over(await stage.hall.client.delete(location, headers=bearer(token)))


async def test_a_page_elsewhere_may_resume(stage: Stage) -> None:
    origin = {"Origin": "https://elsewhere.test"}
    asked = await stage.hall.client.options(
        stage.whip,
        headers={
            **origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
    )
    assert asked.status_code == 204
    assert "authorization" in asked.headers["access-control-allow-headers"].lower()
    answer = await stage.offer({**bearer(await stage.token()), **origin})
    assert answer.status_code == 201
    exposed = {name.strip() for name in answer.headers["access-control-expose-headers"].lower().split(",")}
    assert {"location", RESUME.lower()} <= exposed


async def test_the_seat_keeps_its_lease_when_it_is_resumed(stage: Stage, stages: FakeStages) -> None:
    await stage.resume(await stage.token())
    stamps = stages.calls[-1][-1]
    assert isinstance(stamps, tuple)
    subjects = {stamp.subject for stamp in stamps}
    assert seat_subject(int(stage.space_id), 1) in subjects
    assert resume_subject(int(stage.space_id), 1) not in subjects
