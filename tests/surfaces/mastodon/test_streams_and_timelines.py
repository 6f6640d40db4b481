"""What streams say is what timelines show: whoever only listens has what whoever asks is shown."""

import random
from typing import Any

import httpx
import msgspec
from litestar import Litestar
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.support.sockets import Client, socket
from tests.support.waiting import eventually
from tests.surfaces.conftest import Person, person
from tests.surfaces.mastodon.conftest import Happened
from tests.surfaces.mastodon.test_streams import post, say, token

from folkmoot.posts import polls

STEPS, SEED = 25, 6
Shown = dict[str, dict[str, Any]]


class Listening:
    """A program that never asks: what it shows in each stream."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._heard = 0
        self.shown: dict[str, Shown] = {}
        self.told: list[tuple[str, str]] = []  # (stream, id) of what came with the last events

    def read(self) -> None:
        self.told = []
        for one in self._client.heard[self._heard :]:
            stream, event = one["stream"][0], one["event"]
            shown = self.shown.setdefault(stream, {})
            if event in ("update", "status.update"):
                status = msgspec.json.decode(one["payload"])
                shown[status["id"]] = status
                self.told.append((stream, status["id"]))
            elif event == "delete":
                shown.pop(one["payload"], None)
        self._heard = len(self._client.heard)


class Crowd:
    """People who write, boost, edit and delete by chance."""

    def __init__(self, client: httpx.AsyncClient, people: list[Person]) -> None:
        self.client = client
        self.people = people
        self.chance = random.Random(SEED)
        self.said: list[tuple[Person, dict[str, Any]]] = []
        self.edited: set[str] = set()

    async def do_something(self) -> None:
        work = self.chance.choices([self.write, self.boost, self.edit, self.delete], [5, 3, 2, 2])[0]
        await (work if self.said else self.write)()

    async def write(self) -> None:
        who = self.chance.choice(self.people)
        for_all = [one for _, one in self.said if one["visibility"] == "public"]
        answered = self.chance.choice(for_all)["id"] if for_all and self.chance.random() < 0.4 else None
        made = await say(
            self.client,
            who,
            f"number {len(self.said)} {self.chance.choice(['', '#moot', '@dave', '@erin #moot'])}",
            visibility=self.chance.choice(["public", "public", "unlisted", "private"]),
            language=self.chance.choice(["de", "en"]),
            in_reply_to_id=answered,
            quoted_status_id=self.chance.choice(for_all)["id"] if for_all and self.chance.random() < 0.3 else None,
        )
        self.said.append((who, made))

    async def boost(self) -> None:
        _, made = self.chance.choice(self.said)
        if made["visibility"] in ("public", "unlisted") and not made["mentions"]:
            who = self.chance.choice(self.people)
            verb = self.chance.choice(["reblog", "reblog", "unreblog"])
            await post(self.client, who, f"/api/v1/statuses/{made['id']}/{verb}")

    async def edit(self) -> None:
        """Nothing that is mentioned or tagged stays so."""
        who, made = self.chance.choice(self.said)
        body = {"status": f"again {self.chance.random()}", "language": self.chance.choice(["de", "en"])}
        path = f"/api/v1/statuses/{made['id']}"
        assert (await self.client.put(path, json=body, headers=who.headers)).status_code == 200
        self.edited.add(made["id"])

    async def delete(self) -> None:
        who, made = self.said.pop(self.chance.randrange(len(self.said)))
        self.edited.discard(made["id"])
        await self.client.delete(f"/api/v1/statuses/{made['id']}", headers=who.headers)


async def _reading(client: httpx.AsyncClient, reader: Person, people: dict[str, Person]) -> str:
    """Erin's follows, mutes, tags and lists. Returns the id of the list that she reads."""
    for name, choices in (("alice", {}), ("bob", {"languages": ["de"]}), ("carol", {"reblogs": False})):
        await post(client, reader, f"/api/v1/accounts/{people[name].id}/follow", **choices)
    await post(client, reader, f"/api/v1/accounts/{people['dave'].id}/mute")
    await post(client, reader, "/api/v1/tags/moot/follow")
    listed = (await post(client, reader, "/api/v1/lists", title="some", replies_policy="followed"))["id"]
    apart = (await post(client, reader, "/api/v1/lists", title="apart", exclusive=True))["id"]
    ids = [str(people[name].id) for name in ("alice", "bob", "carol")]
    await post(client, reader, f"/api/v1/lists/{listed}/accounts", account_ids=ids)
    await post(client, reader, f"/api/v1/lists/{apart}/accounts", account_ids=[str(people["bob"].id)])
    return str(listed)


async def test_who_listens_has_what_who_asks_is_shown(
    app: Litestar, client: httpx.AsyncClient, people: People, alice: Person, bob: Person, happened: Happened
) -> None:
    """What an edit took out of a timeline is still shown there until one asks anew, with its new words."""
    carol, dave, erin, frank = [await person(people, name) for name in ("carol", "dave", "erin", "frank")]
    listed = await _reading(client, erin, {"alice": alice, "bob": bob, "carol": carol, "dave": dave})
    pages = {"user": "home", "list": f"list/{listed}", "public": "public", "hashtag": "tag/moot"}
    crowd = Crowd(client, [alice, bob, carol, dave, erin, frank])
    await happened()
    async with socket(app, f"access_token={token(erin)}") as program:
        listening = Listening(program)
        for stream in pages:
            program.say(type="subscribe", stream=stream, list=listed, tag="moot")
        await eventually(lambda: all(app.state.equipment.services.streams.followed(one) for one in pages))
        for _ in range(STEPS):
            await crowd.do_something()
            await happened()
            listening.read()
            for stream, page in pages.items():
                answer = await client.get(f"/api/v1/timelines/{page}?limit=40", headers=erin.headers)
                asked = {one["id"]: one for one in answer.json()}
                heard = listening.shown.get(stream, {})
                assert asked.keys() <= heard.keys() <= asked.keys() | crowd.edited, stream
                for id_ in [id_ for said, id_ in listening.told if said == stream]:
                    alone = await client.get(f"/api/v1/statuses/{id_}", headers=erin.headers)
                    assert heard[id_] == (asked[id_] if id_ in asked else alone.json()), stream


async def test_an_answer_in_a_muted_conversation_says_so(
    app: Litestar, client: httpx.AsyncClient, people: People, alice: Person, bob: Person, happened: Happened
) -> None:
    await people.follow(bob.id, alice.id)
    said = await say(client, alice, "hear, hear")
    await post(client, bob, f"/api/v1/statuses/{said['id']}/mute")
    await happened()
    async with socket(app, f"access_token={token(bob)}&stream=user") as bobs:
        await say(client, alice, "and hear", in_reply_to_id=said["id"])
        await happened()
        assert [one["muted"] for one in bobs.payloads("update")] == [True]


async def test_ones_own_post_in_a_boost_is_ones_own(
    app: Litestar, client: httpx.AsyncClient, people: People, alice: Person, bob: Person, happened: Happened
) -> None:
    await people.follow(alice.id, bob.id)
    fields: dict[str, Any] = {"poll": {"options": ["tea", "coffee"], "expires_in": 600}}
    said = await say(client, alice, "Which?", quote_approval_policy="nobody", **fields)
    await happened()
    async with socket(app, f"access_token={token(alice)}&stream=user") as alices:
        boost = await post(client, bob, f"/api/v1/statuses/{said['id']}/reblog")
        await happened()
        (streamed,) = alices.payloads("update")
        shown = (await client.get("/api/v1/timelines/home", headers=alice.headers)).json()[0]
        assert shown["id"] == boost["id"]
        assert streamed == shown


async def test_a_quote_of_what_is_deleted_shows_it_no_longer(
    app: Litestar, client: httpx.AsyncClient, people: People, alice: Person, bob: Person, happened: Happened
) -> None:
    carol = await person(people, "carol")
    await people.follow(carol.id, bob.id)
    said = await say(client, alice, "hear, hear")
    quote = await say(client, bob, "look at that", quoted_status_id=said["id"])
    await happened()
    async with socket(app, f"access_token={token(carol)}&stream=user") as carols:
        await client.delete(f"/api/v1/statuses/{said['id']}", headers=alice.headers)
        await happened()
        (streamed,) = carols.payloads("status.update")
        assert (streamed["id"], streamed["quote"]["state"]) == (quote["id"], "deleted")


async def test_what_an_edit_changed_is_changed_in_boosts_and_quotes(
    app: Litestar, client: httpx.AsyncClient, people: People, alice: Person, bob: Person, happened: Happened
) -> None:
    carol = await person(people, "carol")
    await people.follow(carol.id, bob.id)
    said = await say(client, alice, "hear, hear")
    await post(client, bob, f"/api/v1/statuses/{said['id']}/reblog")
    await say(client, bob, "look at that", quoted_status_id=said["id"])
    await happened()
    async with socket(app, f"access_token={token(carol)}&stream=user") as carols:
        await client.put(f"/api/v1/statuses/{said['id']}", json={"status": "now"}, headers=alice.headers)
        await happened()
        home = (await client.get("/api/v1/timelines/home", headers=carol.headers)).json()
        assert sorted(carols.payloads("status.update"), key=lambda one: -int(one["id"])) == home
        assert len(home) == 2


async def test_a_conversation_is_told_as_it_stands(
    app: Litestar, client: httpx.AsyncClient, alice: Person, bob: Person, happened: Happened
) -> None:
    async def tell(text: str, **fields: Any) -> str:
        return str((await say(client, alice, text, visibility="direct", **fields))["id"])

    first = await tell("@bob one")
    second = await tell("@bob two", in_reply_to_id=first)
    await tell("@bob of something else")
    await happened()
    async with socket(app, f"access_token={token(bob)}&stream=direct") as bobs:

        def told() -> list[tuple[str, str]]:
            last = [one["last_status"] for one in bobs.payloads("conversation")]
            return [(one["id"], one["content"].rpartition(" ")[2]) for one in last]

        await client.put(f"/api/v1/statuses/{second}", json={"status": "@bob three"}, headers=alice.headers)
        await happened()
        assert told() == [(second, "three</p>")]
        await client.delete(f"/api/v1/statuses/{second}", headers=alice.headers)
        await happened()
        assert told()[1:] == [(first, "one</p>")]


async def test_whom_an_edit_leaves_out_is_told(
    app: Litestar, client: httpx.AsyncClient, people: People, alice: Person, bob: Person, happened: Happened
) -> None:
    carol = await person(people, "carol")
    said = await say(client, alice, "@bob hello", visibility="direct")
    public = await say(client, alice, "@bob hello")
    await happened()
    async with (
        socket(app, f"access_token={token(bob)}&stream=user") as bobs,
        socket(app, f"access_token={token(carol)}&stream=user") as carols,
    ):
        for one in (said, public):
            path = f"/api/v1/statuses/{one['id']}"
            assert (await client.put(path, json={"status": "@carol"}, headers=alice.headers)).status_code == 200
        await happened()
        assert (bobs.payloads("delete"), carols.payloads("delete")) == ([int(said["id"])], [])


async def test_an_edit_deletes_nothing_for_whom_it_is_there(
    app: Litestar, client: httpx.AsyncClient, people: People, alice: Person, bob: Person, happened: Happened
) -> None:
    """Programs drop what is deleted from all timelines: also from those where it stands as before."""
    carol = await person(people, "carol")
    await people.follow(carol.id, alice.id)
    await post(client, bob, "/api/v1/tags/moot/follow")
    said = await say(client, alice, "hear #moot")
    await happened()
    async with (
        socket(app, f"access_token={token(carol)}&stream=user") as carols,
        socket(app, f"access_token={token(bob)}&stream=user") as bobs,
    ):
        carols.say(type="subscribe", stream="hashtag", tag="moot")
        await eventually(lambda: bool(app.state.equipment.services.streams.followed("hashtag")))
        path = f"/api/v1/statuses/{said['id']}"
        assert (await client.put(path, json={"status": "hear"}, headers=alice.headers)).status_code == 200
        await happened()
        assert sorted(carols.events) == [("hashtag/moot", "status.update"), ("user", "status.update")]
        assert bobs.events == [("user", "status.update")]
        assert [one["content"] for one in bobs.payloads("status.update")] == ["<p>hear</p>"]
        await client.delete(path, headers=alice.headers)
        await happened()
        assert bobs.payloads("delete") == [int(said["id"])]


async def test_the_end_of_a_poll_is_told_with_what_was_hidden_until_then(
    app: Litestar,
    client: httpx.AsyncClient,
    people: People,
    clock: FakeClock,
    alice: Person,
    bob: Person,
    happened: Happened,
) -> None:
    question = {"options": ["tea", "coffee"], "expires_in": 600, "hide_totals": True}
    asked = await say(client, alice, "Which?", poll=question)
    await post(client, bob, f"/api/v1/polls/{asked['poll']['id']}/votes", choices=[1])
    await happened()
    async with socket(app, f"access_token={token(bob)}&stream=public") as bobs:
        clock.advance_ms(600_000)
        await people.system(lambda acting: polls.close(acting, int(asked["poll"]["id"])))
        await happened()
        await eventually(lambda: bool(bobs.payloads("status.update")))
        poll = bobs.payloads("status.update")[0]["poll"]
        assert (poll["expired"], [option["votes_count"] for option in poll["options"]]) == (True, [0, 1])
