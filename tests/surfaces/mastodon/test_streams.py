"""Streams: what happens, as it happens, to who follows it and may see it."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar
from sqlalchemy import event
from tests.posts.files.test_actions import keep_sound
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.support.sockets import socket
from tests.support.square import Square
from tests.support.waiting import eventually
from tests.surfaces.conftest import Person, person
from tests.surfaces.mastodon.conftest import Happened

from folkmoot.accounts import actions as accounts
from folkmoot.gate import Action, Standing
from folkmoot.gate.watch import RevocationWatch
from folkmoot.storage.database import Database
from folkmoot.storage.doorbell import Doorbell
from folkmoot.surfaces.mastodon.streams import channels
from folkmoot.surfaces.mastodon.streams.lines import WAITING_BYTES_MAX, WAITING_MESSAGES_MAX, EventLine
from folkmoot.surfaces.mastodon.streams.message import message
from folkmoot.surfaces.services import Services
from folkmoot.timelines.announcements import actions as announcements

ON_ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def carol(people: People) -> Person:
    return await person(people, "carol")


def token(who: Person) -> str:
    return who.headers["Authorization"].removeprefix("Bearer ")


async def post(client: httpx.AsyncClient, who: Person, path: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(path, json=body, headers=who.headers)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


async def say(client: httpx.AsyncClient, who: Person, status: str, **fields: Any) -> dict[str, Any]:
    return await post(client, who, "/api/v1/statuses", status=status, **fields)


async def test_home_has_what_home_has(
    app: Litestar,
    client: httpx.AsyncClient,
    people: People,
    alice: Person,
    bob: Person,
    carol: Person,
    happened: Happened,
) -> None:
    await people.follow(bob.id, alice.id)
    async with (
        socket(app, f"access_token={token(bob)}&stream=user") as bobs,
        socket(app, "stream=user", carol.headers) as carols,
    ):
        public = await say(client, alice, "hear, hear")
        private = await say(client, alice, "hear, friends", visibility="private")
        await say(client, alice, "@carol hear", visibility="direct")  # waits as a request
        await say(client, alice, "@carol hear", visibility="unlisted", in_reply_to_id=public["id"])
        await happened()
        assert [one["id"] for one in bobs.payloads("update")][:2] == [public["id"], private["id"]]
        assert bobs.heard[0]["stream"] == ["user"]
        assert carols.events == [("user", "notification")]
        assert carols.payloads("notification")[0]["type"] == "mention"
        # What is said is what anybody sees who asks, without what they did with it.
        shown = await client.get(f"/api/v1/statuses/{public['id']}", headers=bob.headers)
        assert bobs.payloads("update")[0] == shown.json()
        boost = await post(client, alice, f"/api/v1/statuses/{public['id']}/reblog")
        await client.delete(f"/api/v1/statuses/{private['id']}", headers=alice.headers)
        await happened()
        assert bobs.payloads("update")[-1]["id"] == boost["id"]
        assert bobs.payloads("delete") == [int(private["id"])]
        assert carols.payloads("update") == []


async def test_what_is_for_everybody(
    app: Litestar, client: httpx.AsyncClient, alice: Person, bob: Person, people: People, happened: Happened
) -> None:
    async with socket(app, f"access_token={token(bob)}") as bobs:
        for stream in ("public", "public:local", "public:local:media", "public:remote"):
            bobs.say(type="subscribe", stream=stream)
        bobs.say(type="subscribe", stream="hashtag", tag="Moot")
        await asyncio.sleep(0)
        said = await say(client, alice, "hear #moot")
        await say(client, alice, "to my friends #moot", visibility="private")
        await say(client, alice, "so #moot", visibility="unlisted")
        await happened()
        assert bobs.events == [("hashtag/Moot", "update"), ("public", "update"), ("public:local", "update")]
        assert {one["id"] for one in bobs.payloads("update")} == {said["id"]}
        bobs.say(type="unsubscribe", stream="public")
        await people.put(alice.id, Standing.LIMITED)
        await say(client, alice, "hear #moot")
        await happened()
        await people.put(alice.id, Standing.ACTIVE)
        await say(client, alice, "again")
        await happened()
        assert bobs.events[3:] == [("public:local", "update")]


@ON_ONE
async def test_streams_of_files_have_what_shows_a_file(
    app: Litestar, client: httpx.AsyncClient, services: Services, alice: Person, bob: Person, happened: Happened
) -> None:
    await keep_sound(Square(services.database), alice.id, 8)
    async with socket(app, f"access_token={token(bob)}") as bobs:
        for stream in ("public", "public:media", "public:local:media", "public:remote:media"):
            bobs.say(type="subscribe", stream=stream)
        await eventually(lambda: bool(services.streams.followed("public:remote:media")))
        plain = await say(client, alice, "hear, hear")
        heard = await say(client, alice, "hear this", media_ids=["8"])
        hidden = await say(client, alice, "hear, friends", visibility="unlisted")
        await happened()

        def brought(stream: str) -> list[str]:
            found = [one for one in bobs.heard if one["stream"] == [stream] and one["event"] == "update"]
            return [msgspec.json.decode(one["payload"])["id"] for one in found]

        assert brought("public") == [plain["id"], heard["id"]]
        assert brought("public:media") == brought("public:local:media") == [heard["id"]]
        assert brought("public:remote:media") == []
        assert hidden["id"] not in str(bobs.heard)
        await client.delete(f"/api/v1/statuses/{heard['id']}", headers=alice.headers)
        await happened()
        assert sorted(bobs.events[4:]) == [
            ("public", "delete"), ("public:local:media", "delete"), ("public:media", "delete"),
        ]  # fmt: skip


@ON_ONE
async def test_a_tag_of_this_server_and_notifications_alone(
    app: Litestar, client: httpx.AsyncClient, people: People, alice: Person, bob: Person, happened: Happened
) -> None:
    narrow = await people.token(alice.id, "read:notifications")
    async with (
        socket(app, f"access_token={token(bob)}&stream=hashtag:local&tag=Moot") as bobs,
        socket(app, f"access_token={narrow}&stream=user:notification") as alices,
    ):
        alices.say(type="subscribe", stream="user")
        await eventually(lambda: bool(alices.heard))
        assert alices.heard.pop()["status"] == 403
        said = await say(client, alice, "hear #moot")
        answer = await say(client, bob, "@alice hear #MOOT", in_reply_to_id=said["id"])
        await say(client, bob, "hear", visibility="public")
        await post(client, bob, f"/api/v1/statuses/{said['id']}/favourite")
        await happened()
        assert bobs.events == [("hashtag:local/Moot", "update")] * 2
        assert [one["id"] for one in bobs.payloads("update")] == [said["id"], answer["id"]]
        assert alices.events == [("user:notification", "notification")] * 2
        told = alices.payloads("notification")
        assert [one["type"] for one in told] == ["mention", "favourite"]
        asked = await client.get("/api/v1/notifications", headers=alice.headers)
        assert asked.json() == told[::-1]


async def test_who_is_blocked_or_muted_is_not_heard(
    app: Litestar, client: httpx.AsyncClient, people: People, alice: Person, bob: Person, happened: Happened
) -> None:
    await people.block(alice.id, bob.id)
    async with socket(app, f"access_token={token(bob)}&stream=public") as bobs:
        await say(client, alice, "hear, hear")
        await happened()
        assert bobs.heard == []


@pytest.mark.parametrize(
    "order",
    [
        {"type": "subscribe", "stream": "none"},
        {"type": "subscribe", "stream": "hashtag"},
        {"type": "subscribe", "stream": "list", "list": "1"},
        {"type": "dance"},
    ],
)
async def test_what_there_isnt_is_answered(app: Litestar, bob: Person, order: dict[str, str]) -> None:
    async with socket(app, f"access_token={token(bob)}") as bobs:
        bobs.say(**order)
        await eventually(lambda: bool(bobs.heard))
        assert bobs.heard[0]["status"] in (400, 404)
        bobs.say_text("[" * 5_000)
        await eventually(lambda: len(bobs.heard) == 2)
        assert bobs.heard[1]["status"] == 400


@ON_ONE
async def test_programs_may_send_what_they_leave_empty(app: Litestar, services: Services, bob: Person) -> None:
    """As Mastodon reads messages: what a stream doesn't take is passed over, and a list's id may be a number."""
    async with socket(app, f"access_token={token(bob)}") as bobs:
        bobs.say(type="subscribe", stream="user", tag=None, list=None)
        bobs.say(type="subscribe", stream="hashtag", tag="Moot", list=None, other=[1])
        bobs.say(type="subscribe", stream="list", list=1)
        await eventually(lambda: bool(bobs.heard))
        assert [one["status"] for one in bobs.heard] == [404]
        assert [services.streams.followed(name) for name in ("user", "hashtag")] == [
            [channels.Channel("user", str(bob.id))], [channels.Channel("hashtag", "moot")],
        ]  # fmt: skip
        bobs.say(type="unsubscribe", stream="user", tag=None, list=None)
        await eventually(lambda: not services.streams.followed("user"))


async def test_only_who_shows_a_token_is_let_in(app: Litestar, people: People, bob: Person) -> None:
    async with socket(app) as nobody, socket(app, "access_token=none") as wrong:
        assert (nobody.status, wrong.status) == (401, 401)
    small = await people.token(bob.id, "read:accounts")
    async with socket(app, f"access_token={small}") as client:
        assert client.status == 403
    async with socket(app, protocols=(token(bob),)) as browser:
        assert (browser.status, browser.protocol) == (101, token(bob))
    async with socket(app, f"access_token={token(bob)}", path="/api/v1/other") as elsewhere:
        assert elsewhere.status == 404
    cookie = {"cookie": f"folkmoot_session={token(bob)}", "host": "moot.test"}
    async with (
        socket(app, headers={**cookie, "origin": "http://moot.test"}) as ours,
        socket(app, headers={**cookie, "origin": "http://evil.test"}) as theirs,
    ):
        assert (ours.status, theirs.status) == (101, 403)


async def test_a_right_that_is_lost_ends_it(
    app: Litestar, services: Services, people: People, database: Database, bob: Person, tmp_path: Path
) -> None:
    async with socket(app, f"access_token={token(bob)}&stream=user") as bobs:
        await people.put(bob.id, Standing.SUSPENDED)
        await RevocationWatch(services.leases, database, Doorbell(tmp_path)).sweep()
        await eventually(lambda: bobs.was_reset)
        assert bobs.closed == 1008
    await eventually(lambda: len(services.streams) == 0)


async def test_a_token_that_is_over_ends_it(
    app: Litestar, services: Services, people: People, clock: FakeClock, bob: Person
) -> None:
    short = await people.system(
        lambda acting: accounts.issue_token(acting, bob.id, "read", expires_at_ms=clock() + 30)
    )
    async with socket(app, f"access_token={short}&stream=user") as bobs:
        assert bobs.status == 101
        clock.advance_ms(30)
        await eventually(lambda: bobs.was_reset)


async def test_who_reads_too_slowly_is_cut_off(
    app: Litestar, client: httpx.AsyncClient, alice: Person, bob: Person, happened: Happened
) -> None:
    async with socket(app, f"access_token={token(bob)}&stream=public") as bobs:
        bobs.waiting = WAITING_BYTES_MAX + 1
        await say(client, alice, "hear, hear")
        await happened()
        assert (bobs.was_reset, bobs.heard) == (True, [])


async def test_who_asks_and_does_not_read_is_cut_off(app: Litestar, bob: Person) -> None:
    async with socket(app, f"access_token={token(bob)}") as bobs:
        bobs.waiting = WAITING_BYTES_MAX + 1
        bobs.say(type="dance")
        await eventually(lambda: bobs.was_reset)
        assert bobs.heard == []


async def test_messages_are_counted_as_requests_are(app: Litestar, bob: Person) -> None:
    async with socket(app, f"access_token={token(bob)}") as bobs:
        while app.state.equipment.limits.request("192.0.2.1", token(bob)).allowed:
            pass
        bobs.say(type="subscribe", stream="user")
        await eventually(lambda: bool(bobs.heard))
        assert bobs.heard[0]["status"] == 429


class Cut:
    resets = 0

    def reset(self) -> None:
        self.resets += 1


async def test_a_slow_reader_of_events_is_cut_off(people: People, bob: Person) -> None:
    cut = Cut()
    line = EventLine(await people.viewer(bob.id), cut)
    for number in range(WAITING_MESSAGES_MAX):
        line.say(message("update", str(number)), ("user",))
    assert cut.resets == 0
    line.say(message("update", "one more"), ("user",))
    assert cut.resets == 1
    assert [piece async for piece in line.pieces()] == [b":)\n\n"]


async def test_events_are_sent_to_who_asks_for_them(
    app: Litestar, services: Services, client: httpx.AsyncClient, alice: Person, bob: Person, happened: Happened
) -> None:
    assert (await client.get("/api/v1/streaming/health")).text == "OK"
    assert (await client.get("/api/v1/streaming/user")).status_code == 401
    for path in ("hashtag", "list", "list?list=1"):
        answer = await client.get(f"/api/v1/streaming/{path}", headers=bob.headers)
        assert answer.status_code in (400, 404), path
    viewer = await services.gate.identify(token(bob))
    line = EventLine(viewer, Cut())
    services.streams.open(line)
    services.streams.follow(line, channels.following(viewer, "public"))
    said = await say(client, alice, "hear, hear")
    await happened()
    pieces = line.pieces()
    assert await anext(pieces) == b":)\n\n"
    piece = await anext(pieces)
    assert piece.startswith(b"event: update\ndata: {")
    assert piece.endswith(b"}\n\n")
    assert said["id"].encode() in piece
    services.streams.close(line)


async def test_a_list_has_what_the_list_has(
    app: Litestar, client: httpx.AsyncClient, people: People, alice: Person, bob: Person, happened: Happened
) -> None:
    await people.follow(bob.id, alice.id)
    made = await post(client, bob, "/api/v1/lists", title="Friends")
    await post(client, bob, f"/api/v1/lists/{made['id']}/accounts", account_ids=[str(alice.id)])
    async with (
        socket(app, f"access_token={token(bob)}&stream=list&list={made['id']}") as bobs,
        socket(app, f"access_token={token(alice)}&stream=list&list={made['id']}") as alices,
    ):
        await eventually(lambda: bool(alices.heard))
        assert alices.heard[0]["status"] == 404
        await say(client, alice, "hear, hear")
        await happened()
        assert [one["stream"] for one in bobs.heard] == [["list", made["id"]]]


async def test_an_edit_is_told_and_what_is_filtered_says_so(
    app: Litestar,
    client: httpx.AsyncClient,
    people: People,
    alice: Person,
    bob: Person,
    carol: Person,
    happened: Happened,
) -> None:
    for follower in (bob, carol):
        await people.follow(follower.id, alice.id)
    await post(
        client, carol, "/api/v2/filters", title="Noise", context=["home"], keywords_attributes=[{"keyword": "hear"}]
    )
    async with (
        socket(app, f"access_token={token(bob)}&stream=user") as bobs,
        socket(app, f"access_token={token(carol)}&stream=user") as carols,
    ):
        said = await say(client, alice, "hear, hear")
        edited = await client.put(f"/api/v1/statuses/{said['id']}", json={"status": "now"}, headers=alice.headers)
        assert edited.status_code == 200, edited.text
        await happened()
        # What is said is as it is when it is said: twice the newer words, here.
        assert [one["content"] for one in bobs.payloads("status.update")] == ["<p>now</p>"]
        assert bobs.payloads("status.update")[0]["filtered"] == []
        await say(client, alice, "hear, hear")
        await happened()
        assert bobs.payloads("update")[-1]["filtered"] == []
        assert carols.payloads("update")[-1]["filtered"][0]["filter"]["title"] == "Noise"
        await post(client, carol, "/api/v2/filters", title="More", context=["home"])
        await happened()
        assert carols.events[-1] == ("user", "filters_changed")


async def test_more_people_who_filter_cost_no_more_statements(
    app: Litestar,
    client: httpx.AsyncClient,
    database: Database,
    people: People,
    alice: Person,
    bob: Person,
    carol: Person,
    happened: Happened,
) -> None:
    for follower in (bob, carol):
        await people.follow(follower.id, alice.id)
        keywords = [{"keyword": "hear"}]
        await post(
            client, follower, "/api/v2/filters", title="Noise", context=["home"], keywords_attributes=keywords
        )
    await happened()
    statements: list[str] = []
    listening = database.engine.sync_engine, "before_cursor_execute", lambda *said: statements.append(said[2])

    async def cost() -> int:
        await say(client, alice, "hear, hear")
        statements.clear()
        event.listen(*listening)
        await happened()
        event.remove(*listening)
        return len(statements)

    async with socket(app, f"access_token={token(bob)}&stream=user") as bobs:
        of_one = await cost()
        async with socket(app, f"access_token={token(carol)}&stream=user") as carols:
            assert await cost() == of_one
            for client_ in (bobs, carols):
                assert client_.payloads("update")[-1]["filtered"][0]["filter"]["title"] == "Noise"


async def test_a_quote_that_is_taken_back_goes_from_open_timelines(
    app: Litestar, client: httpx.AsyncClient, alice: Person, bob: Person, carol: Person, happened: Happened
) -> None:
    async with socket(app, f"access_token={token(carol)}&stream=public") as carols:
        said = await say(client, alice, "hear, hear")
        quote = await say(client, bob, "look at that", quoted_status_id=said["id"])
        await happened()
        assert carols.payloads("update")[-1]["quote"]["state"] == "accepted"
        await post(client, alice, f"/api/v1/statuses/{said['id']}/quotes/{quote['id']}/revoke")
        await happened()
        assert carols.payloads("status.update")[-1]["quote"] == {"state": "revoked", "quoted_status": None}


async def test_how_a_poll_stands_is_told_and_nobodys_own_vote_is_lost(
    app: Litestar, client: httpx.AsyncClient, alice: Person, bob: Person, carol: Person, happened: Happened
) -> None:
    async with (
        socket(app, f"access_token={token(carol)}&stream=public") as carols,
        socket(app, f"access_token={token(bob)}&stream=public") as bobs,
    ):
        asked = await say(client, alice, "Which?", poll={"options": ["tea", "coffee"], "expires_in": 600})
        await post(client, bob, f"/api/v1/statuses/{asked['id']}/favourite")
        for voter, choice in ((bob, 1), (carol, 0)):
            await post(client, voter, f"/api/v1/polls/{asked['poll']['id']}/votes", choices=[choice])
        await happened()
        await eventually(lambda: bool(carols.payloads("status.update")))
        # Two votes within a moment are one message.
        ((hers,), (his,)) = (carols.payloads("status.update"), bobs.payloads("status.update"))
        assert [option["votes_count"] for option in hers["poll"]["options"]] == [1, 1]
        assert (hers["poll"]["own_votes"], his["poll"]["own_votes"]) == ([0], [1])
        assert (hers["favourited"], his["favourited"]) == (False, True)
        assert his == (await client.get(f"/api/v1/statuses/{asked['id']}", headers=bob.headers)).json()


async def test_what_was_not_for_everybody_is_gone_for_those_alone_whom_it_was_for(
    app: Litestar, client: httpx.AsyncClient, people: People, alice: Person, bob: Person, carol: Person,
    happened: Happened,
) -> None:  # fmt: skip
    dave = await person(people, "dave")
    for follower in (bob, carol):
        await people.follow(follower.id, alice.id)
    with_her = (await post(client, dave, "/api/v1/lists", title="of nobody"))["id"]
    async with (
        socket(app, f"access_token={token(dave)}&stream=public") as everybody,
        socket(app, f"access_token={token(dave)}&stream=list&list={with_her}") as listing,
        socket(app, f"access_token={token(bob)}&stream=user") as bobs,
        socket(app, f"access_token={token(carol)}&stream=user") as carols,
    ):
        said = [
            (await say(client, alice, "@bob hear", visibility=visibility))["id"]
            for visibility in ("direct", "private", "unlisted", "public")
        ]
        for id_ in said:
            await client.delete(f"/api/v1/statuses/{id_}", headers=alice.headers)
        await happened()
        assert everybody.payloads("delete") == [int(said[3])]
        assert listing.payloads("delete") == []
        assert bobs.payloads("delete") == [int(id_) for id_ in said]
        assert carols.payloads("delete") == [int(id_) for id_ in said[1:]]


async def test_what_a_boost_or_a_tag_brought_is_gone_from_there_too(
    app: Litestar, client: httpx.AsyncClient, people: People, alice: Person, bob: Person, carol: Person,
    happened: Happened,
) -> None:  # fmt: skip
    """Bob follows who boosts it, Dave a tag of it, Erin has a list with Bob and Carol; none of them its author."""
    dave, erin = [await person(people, name) for name in ("dave", "erin")]
    for reader in (bob, erin):
        await people.follow(reader.id, carol.id)
    await post(client, dave, "/api/v1/tags/moot/follow")
    listed = (await post(client, erin, "/api/v1/lists", title="Friends"))["id"]
    await post(client, erin, f"/api/v1/lists/{listed}/accounts", account_ids=[str(carol.id)])
    async with (
        socket(app, f"access_token={token(bob)}&stream=user") as bobs,
        socket(app, f"access_token={token(dave)}&stream=user") as daves,
        socket(app, f"access_token={token(erin)}&stream=list&list={listed}") as erins,
    ):
        said = await say(client, alice, "hear #moot")
        boost = await post(client, carol, f"/api/v1/statuses/{said['id']}/reblog")
        other = await post(client, dave, f"/api/v1/statuses/{said['id']}/reblog")
        await client.delete(f"/api/v1/statuses/{said['id']}", headers=alice.headers)
        await happened()
        of_carols = {int(said["id"]), int(boost["id"])}
        for readers in (bobs, erins):
            assert len(readers.payloads("delete")) == 2
            assert set(readers.payloads("delete")) == of_carols
        assert set(daves.payloads("delete")) == {int(said["id"]), int(other["id"])}


async def test_what_is_said_among_a_closed_spaces_people_is_gone_for_them_alone(
    app: Litestar, client: httpx.AsyncClient, people: People, alice: Person, bob: Person, carol: Person,
    happened: Happened,
) -> None:  # fmt: skip
    for follower in (bob, carol):
        await people.follow(follower.id, alice.id)
    opened = await client.post(
        "/api/folkmoot/v1/spaces", json={"title": "Among us", "audience": "invited"}, headers=alice.headers
    )
    space = opened.json()
    commands = f"/api/folkmoot/v1/spaces/{space['id']}/commands"
    order = {"do": "invite", "account": str(bob.id), "role": "listener"}
    assert (await client.post(commands, json=order, headers=alice.headers)).is_success
    said = await say(client, alice, "hear, friends", in_reply_to_id=space["announcement_id"])
    await happened()
    async with (
        socket(app, f"access_token={token(bob)}&stream=user") as bobs,
        socket(app, f"access_token={token(carol)}&stream=user") as carols,
    ):
        await client.delete(f"/api/v1/statuses/{said['id']}", headers=alice.headers)
        await happened()
        assert (bobs.payloads("delete"), carols.payloads("delete")) == ([int(said["id"])], [])


async def test_a_quote_is_streamed_as_its_reader_sees_it(
    app: Litestar, client: httpx.AsyncClient, people: People, alice: Person, bob: Person, carol: Person,
    happened: Happened,
) -> None:  # fmt: skip
    dave = await person(people, "dave")
    for follower in (carol, dave):
        await people.follow(follower.id, bob.id)
    said = await say(client, alice, "hear, hear")
    await post(client, carol, f"/api/v1/statuses/{said['id']}/favourite")
    await post(client, dave, f"/api/v1/accounts/{alice.id}/mute")
    await happened()
    async with (
        socket(app, f"access_token={token(carol)}&stream=user") as carols,
        socket(app, f"access_token={token(dave)}&stream=user") as daves,
    ):
        fields = {"quoted_status_id": said["id"], "quote_approval_policy": "followers"}
        quote = await say(client, bob, "look at that", **fields)
        await happened()
        for who, (streamed,) in ((carol, carols.payloads("update")), (dave, daves.payloads("update"))):
            asked = await client.get(f"/api/v1/statuses/{quote['id']}", headers=who.headers)
            assert streamed == asked.json()
        (hers, his) = (one.payloads("update")[0] for one in (carols, daves))
        assert hers["quote"]["quoted_status"]["favourited"]
        assert his["quote"]["state"] == "muted_account"
        assert hers["quote_approval"]["current_user"] == "automatic"


async def test_a_tag_is_followed_in_any_of_its_forms(
    app: Litestar, client: httpx.AsyncClient, alice: Person, bob: Person, happened: Happened
) -> None:
    async with socket(app, f"access_token={token(bob)}") as bobs:
        bobs.say(type="subscribe", stream="hashtag", tag="Ｂｉｒｄｓ")
        await eventually(lambda: bool(app.state.equipment.services.streams.followed("hashtag")))
        await say(client, alice, "a lark #birds")
        await say(client, alice, "another #ＢＩＲＤＳ")
        await happened()
        assert bobs.events == [("hashtag/Ｂｉｒｄｓ", "update")] * 2


async def test_a_quote_of_who_stands_in_no_list_is_not_in_public(
    app: Litestar, client: httpx.AsyncClient, people: People, alice: Person, bob: Person, carol: Person,
    happened: Happened,
) -> None:  # fmt: skip
    await people.follow(carol.id, alice.id)
    said = await say(client, alice, "hear, hear")
    await people.put(alice.id, Standing.LIMITED)
    async with socket(app, f"access_token={token(carol)}&stream=public") as carols:
        await people.follow(bob.id, alice.id)
        await say(client, bob, "look at that", quoted_status_id=said["id"])
        await happened()
        (streamed,) = carols.payloads("update")
        (listed, *_) = (await client.get("/api/v1/timelines/public", headers=carol.headers)).json()
        assert streamed["quote"] == listed["quote"] == {"state": "unauthorized", "quoted_status": None}


async def test_direct_posts_are_conversations(
    app: Litestar, client: httpx.AsyncClient, alice: Person, bob: Person, carol: Person, happened: Happened
) -> None:
    async with (
        socket(app, f"access_token={token(bob)}&stream=direct") as bobs,
        socket(app, f"access_token={token(carol)}&stream=direct") as carols,
    ):
        said = await say(client, alice, "@bob psst", visibility="direct")
        await happened()
        assert bobs.payloads("conversation")[0]["last_status"]["id"] == said["id"]
        assert carols.heard == []


async def test_announcements_are_told_to_all(
    app: Litestar, people: People, bob: Person, happened: Happened
) -> None:
    async with socket(app, f"access_token={token(bob)}&stream=user") as bobs:
        made = await people.system(
            lambda acting: announcements.publish(
                acting, "The Moot moves.", starts_at_ms=None, ends_at_ms=None, all_day=False
            )
        )
        await people.act(bob.id, Action.MARK, lambda acting: announcements.react(acting, made, "👏"))
        await happened()
        assert bobs.payloads("announcement")[0]["id"] == str(made)
        assert bobs.payloads("announcement.reaction") == [{"name": "👏", "count": 1, "announcement_id": str(made)}]
        await people.system(lambda acting: announcements.withdraw(acting, made))
        await happened()
        assert bobs.payloads("announcement.delete") == [made]
