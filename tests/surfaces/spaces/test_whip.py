"""WHIP over HTTP on both databases, with a fake stage: who may connect a seat, and with what."""

import asyncio
import re
from typing import Any

import httpx
import pytest
from msgspec.structs import replace
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.surfaces.conftest import FakeStages, Person
from tests.surfaces.spaces.conftest import SPACES, Hall

from folkmoot.gate import Refused, Standing
from folkmoot.gate.model import audience_subject, member_subject, seat_subject, space_subject
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.spaces import seat_tokens

OFFER = "v=0\r\n"
SDP = {"Content-Type": "application/sdp"}
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


async def test_each_connection_has_resume_tokens_of_its_own(stage: Stage) -> None:
    older, newer = await stage.token(), await stage.token()
    resumed = await stage.resume(newer)
    assert resumed.status_code == 201
    assert (await stage.resume(older)).status_code == 201, "whether it may go on, the stage says"
    for used in (older, newer):
        assert_over(await stage.resume(used))
    assert (await stage.resume(resumed.headers[RESUME])).status_code == 201


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
    assert not any(subject.startswith("resume:") for subject in subjects)


async def publishing_token(stage: Stage) -> str:
    answer = await stage.hall.client.post(f"{stage.whip}/tokens", headers=stage.host.headers)
    assert answer.status_code == 201, answer.text
    assert answer.json()["url"].endswith(stage.whip)
    token: str = answer.json()["token"]
    return token


async def test_a_publishing_token_speaks_on_the_seat_as_often_as_it_is_used(
    stage: Stage, stages: FakeStages
) -> None:
    token = await publishing_token(stage)
    for _ in range(3):
        joined = await stage.offer(bearer(token))
        assert joined.status_code == 201
        assert (
            await stage.hall.client.delete(joined.headers["Location"], headers=bearer(token))
        ).status_code == 200
    offer = next(call for call in stages.calls if call[0] == "offer")
    assert offer[1:3] == (int(stage.space_id), 1)
    assert not any(call[0] == "hang_up" for call in stages.calls), "the seat is not given back"
    resumed = await stage.resume(joined.headers[RESUME])
    assert resumed.status_code == 201


async def test_a_new_publishing_token_ends_the_one_before_and_what_hangs_on_it(
    stage: Stage, stages: FakeStages, services: Services
) -> None:
    older = await publishing_token(stage)
    joined = await stage.offer(bearer(older))
    held = stages.calls[-1][-1]
    newer = await publishing_token(stage)
    assert_over(await stage.offer(bearer(older)))
    assert_over(await stage.resume(joined.headers[RESUME]))
    assert (await stage.offer(bearer(newer))).status_code == 201
    assert isinstance(held, tuple)
    async with services.database.read() as read:
        with pytest.raises(Refused, match="has ended"):
            await services.gate.check(read, held)
    assert (await stage.offer(stage.host.headers)).status_code == 201, "oneself one may always connect"


async def test_a_publishing_token_ends_with_the_seat_and_the_standing(
    stage: Stage, bob: Person, people: People
) -> None:
    hosts = await publishing_token(stage)
    await stage.command(bob, do="ask", recording_consent=True)
    await stage.command(stage.host, do="let_up", account=str(bob.id))
    bobs = (await stage.hall.client.post(f"{stage.whip}/tokens", headers=bob.headers)).json()["token"]
    assert (await stage.offer(bearer(bobs))).status_code == 201
    await stage.command(bob, do="step_down")
    assert_over(await stage.offer(bearer(bobs)))
    await people.put(stage.host.id, Standing.SUSPENDED)
    assert_over(await stage.offer(bearer(hosts)))


async def test_who_has_no_seat_gets_no_publishing_token(stage: Stage, bob: Person) -> None:
    for headers, status in ((bob.headers, 403), ({}, 401), (bearer(await publishing_token(stage)), 401)):
        answer = await stage.hall.client.post(f"{stage.whip}/tokens", headers=headers)
        assert answer.status_code == status


async def test_what_is_reconnected_by_itself_takes_no_newer_program_away(stage: Stage, stages: FakeStages) -> None:
    joined = await stage.offer(stage.host.headers)
    connection = joined.headers["Location"].rpartition("/")[2]
    resumed = await stage.resume(joined.headers[RESUME])
    await stage.resume(resumed.headers[RESUME])
    assert stages.continued == [None, connection, connection]


async def test_a_seat_that_offers_without_end_is_told_to_wait(
    stage: Stage, stages: FakeStages, clock: FakeClock
) -> None:
    token = await publishing_token(stage)
    answers = [await stage.offer(bearer(token)) for _ in range(20)]
    assert [answer.status_code for answer in answers] == [201] * 10 + [429] * 10
    assert answers[-1].json()["code"] == "too_many_requests"
    assert int(answers[-1].headers["retry-after"]) <= 2
    assert len([call for call in stages.calls if call[0] == "offer"]) == 10
    resume = answers[0].headers[RESUME]
    assert (await stage.resume(resume)).status_code == 429
    clock.advance_ms(2_000)
    assert (await stage.resume(resume)).status_code == 201, "it was not used up by being told to wait"


async def test_the_answer_names_the_ice_servers(stage: Stage) -> None:
    link = (await stage.offer(stage.host.headers)).headers["Link"]
    assert '<stun:stun.test>; rel="ice-server"' in link
    relay = r'<turn:turn.test>; rel="ice-server"; username="[^"]+"; credential="[^"]+"; credential-type="password"'
    assert re.search(relay, link)
    whep = await stage.hall.client.post(f"{SPACES}/{stage.space_id}/whep", content=OFFER, headers=SDP)
    assert "Link" not in whep.headers, "relays are for who is signed in"


@pytest.mark.parametrize("endpoint", ["whip", "whep"])
async def test_what_the_rfc_says_of_methods(stage: Stage, endpoint: str) -> None:
    client, address = stage.hall.client, f"{SPACES}/{stage.space_id}/{endpoint}"
    options = await client.options(address)
    assert options.status_code == 204
    assert options.headers["accept-post"] == "application/sdp"
    for method in ("GET", "HEAD", "PUT", "PATCH"):
        assert (await client.request(method, address, headers=stage.host.headers)).status_code == 405, method
    session = (await client.post(address, content=OFFER, headers={**stage.host.headers, **SDP})).headers["Location"]
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH"):
        answer = await client.request(method, session, headers=stage.host.headers)
        assert answer.status_code == 405, method
    assert (await client.delete(session, headers=stage.host.headers)).status_code == 200


async def test_listening_by_whep(stage: Stage, stages: FakeStages, bob: Person, services: Services) -> None:
    address = f"{SPACES}/{stage.space_id}/whep"
    for headers in ({}, bob.headers):
        answer = await stage.hall.client.post(address, content=OFFER, headers={**headers, **SDP})
        assert answer.status_code == 201
        stamps = stages.calls[-1][-1]
        assert isinstance(stamps, tuple)
        subjects = {stamp.subject for stamp in stamps}
        assert {space_subject(int(stage.space_id)), audience_subject(int(stage.space_id))} <= subjects
    assert member_subject(int(stage.space_id), bob.id) in subjects
    left = await stage.hall.client.delete(answer.headers["Location"])
    assert left.status_code == 200
    assert stages.calls[-1] == (
        "hang_up_connection", int(stage.space_id), answer.headers["Location"].rpartition("/")[2]
    )  # fmt: skip
    await stage.command(stage.host, do="remove", account=str(bob.id))
    removed = await stage.hall.client.post(address, content=OFFER, headers={**bob.headers, **SDP})
    assert (removed.status_code, removed.json()["code"]) == (403, "removed")
    await stage.command(stage.host, do="end")
    over = await stage.hall.client.post(address, content=OFFER, headers=SDP)
    assert (over.status_code, over.json()["code"]) == (409, "not_live")


async def test_a_closed_space_has_no_whep_for_strangers(hall: Hall, alice: Person, bob: Person) -> None:
    space_id = await hall.live(alice, audience="followed")
    for headers in ({}, bob.headers):
        answer = await hall.client.post(f"{SPACES}/{space_id}/whep", content=OFFER, headers={**headers, **SDP})
        assert answer.status_code == 404


@pytest.mark.parametrize("endpoint", ["whip", "whep"])
async def test_what_is_no_offer(stage: Stage, endpoint: str) -> None:
    async def code(content: bytes, kind: str = "application/sdp") -> tuple[int, str]:
        address = f"{SPACES}/{stage.space_id}/{endpoint}"
        headers = {**stage.host.headers, "Content-Type": kind}
        answer = await stage.hall.client.post(address, content=content, headers=headers)
        return answer.status_code, answer.json()["code"]

    assert await code(b"{}", "application/json") == (415, "not_sdp")
    assert await code(b"v=0" * 30_000) == (413, "offer_too_large")
    assert await code(b"v=\xff") == (422, "offer_refused")
