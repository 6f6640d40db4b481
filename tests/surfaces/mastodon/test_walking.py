"""Every list is walked by its `Link` header to its end and back, and has everything once, the newest first."""

from typing import Any

import httpx
import pytest
from litestar import Litestar
from tests.support.people import People
from tests.support.telling import tell
from tests.surfaces.conftest import Person, person
from tests.surfaces.mastodon.test_bad_requests import asked_often
from tests.surfaces.walking import walked

from folkmoot.gate import Role
from folkmoot.storage.database import Database

API = "/api/v1"
COUNT = 5
LINK = "https://news.example/one"
# Who reads, what, and by which field its entries are known; {}: ids of `Scene.made`.
LISTS = [
    ("alice", "timelines/home", "id"),
    ("alice", "timelines/public", "id"),
    ("alice", "timelines/public?local=true", "id"),
    ("alice", "timelines/tag/москва", "id"),
    ("alice", f"timelines/link?url={LINK}", "id"),
    ("alice", "timelines/list/{list}", "id"),
    ("alice", "accounts/{alice}/statuses", "id"),
    ("alice", "accounts/{alice}/statuses?exclude_replies=true", "id"),
    ("alice", "accounts/{alice}/followers", "id"),
    ("alice", "accounts/{alice}/following", "id"),
    ("alice", "lists/{list}/accounts", "id"),
    ("alice", "favourites", "id"),
    ("alice", "bookmarks", "id"),
    ("alice", "statuses/{post}/favourited_by", "id"),
    ("alice", "statuses/{post}/reblogged_by", "id"),
    ("alice", "statuses/{post}/quotes", "id"),
    ("alice", "followed_tags", "name"),
    ("alice", "scheduled_statuses", "id"),
    ("alice", "domain_blocks", ""),
    ("alice", "endorsements", "id"),
    ("alice", "notifications", "id"),
    ("alice", "notifications?types[]=mention", "id"),
    ("bob", "follow_requests", "id"),
    ("dan", "blocks", "id"),
    ("bob", "conversations", "id"),
    ("erin", "mutes", "id"),
    ("carol", "notifications/requests", "id"),
    ("keeper", "admin/accounts", "id"),
    ("keeper", "admin/reports", "id"),
    ("keeper", "admin/ip_blocks", "id"),
    ("keeper", "admin/email_domain_blocks", "id"),
    ("keeper", "admin/canonical_email_blocks", "id"),
    ("keeper", "admin/domain_blocks", "id"),
    ("keeper", "admin/domain_allows", "id"),
]  # fmt: skip


class Scene:
    """Five of everything that there are lists of."""

    def __init__(self, app: Litestar, client: httpx.AsyncClient, people: People) -> None:
        self._app = app
        self._client = client
        self._people = people
        self.who: dict[str, Person] = {}
        self.made: dict[str, str] = {}

    async def do(self, who: str, path: str, **body: Any) -> Any:
        asked_often(self._app)
        answer = await self._client.post(f"{API}/{path}", json=body, headers=self.who[who].headers)
        assert answer.status_code in (200, 201), (path, answer.text)
        return answer.json()

    async def say(self, who: str, status: str, **body: Any) -> str:
        id_: str = (await self.do(who, "statuses", status=status, **body))["id"]
        return id_

    async def make(self) -> None:
        others = [f"p{number}" for number in range(COUNT)]
        for name in ("alice", "bob", "carol", "dan", "erin", *others):
            self.who[name] = await person(self._people, name)
            self.made[name] = str(self.who[name].id)
        keeper = await self._people.create("keeper", Role.OWNER)
        token = {"Authorization": f"Bearer {await self._people.token(keeper)}"}
        self.who["keeper"] = Person(keeper, "keeper", token)
        await self._client.patch(
            f"{API}/accounts/update_credentials", json={"locked": True}, headers=self.who["bob"].headers
        )
        policy = await self._client.patch(
            "/api/v2/notifications/policy", json={"for_not_following": "filter"}, headers=self.who["carol"].headers
        )
        assert policy.status_code == 200
        self.made["post"] = await self.say("alice", "hear, hear", quote_approval_policy="public")
        self.made["list"] = (await self.do("alice", "lists", title="Friends"))["id"]
        for number, name in enumerate(others):
            await self._between(name)
            await self._of_alice(number)
            await self._of_keeper(number)

    async def _between(self, name: str) -> None:
        id_ = self.made[name]
        for who in ("alice", "bob"):
            await self.do(name, f"accounts/{self.made[who]}/follow")
        await self.do("alice", f"accounts/{id_}/follow")
        await self.do("alice", f"accounts/{id_}/endorse")
        await self.do("alice", f"lists/{self.made['list']}/accounts", account_ids=[id_])
        await self.do("dan", f"accounts/{id_}/block")
        await self.do("erin", f"accounts/{id_}/mute")
        for verb in ("favourite", "reblog"):
            await self.do(name, f"statuses/{self.made['post']}/{verb}")
        await self.say(name, "look", quoted_status_id=self.made["post"])
        said = await self.say(name, f"@alice @carol #москва {LINK}")
        for verb in ("favourite", "bookmark"):
            await self.do("alice", f"statuses/{said}/{verb}")
        await self.say(name, "@bob psst", visibility="direct")
        await self.do("keeper", "reports", account_id=id_)

    async def _of_alice(self, number: int) -> None:
        await self.say("alice", f"hear {number}")
        await self.say("alice", "later", scheduled_at="2027-02-01T00:00:00Z")
        await self.do("alice", f"tags/tag{number}/follow")
        await self.do("alice", "domain_blocks", domain=f"d{number}.example")

    async def _of_keeper(self, number: int) -> None:
        for path, body in (
            ("ip_blocks", {"ip": f"192.0.2.{number}", "severity": "sign_up_block", "comment": "a flood"}),
            ("email_domain_blocks", {"domain": f"trash{number}.example"}),
            ("canonical_email_blocks", {"email": f"p{number}@mail.example"}),
            ("domain_blocks", {"domain": f"bad{number}.example"}),
            ("domain_allows", {"domain": f"good.bad{number}.example"}),
        ):
            await self.do("keeper", f"admin/{path}", **body)


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_every_list_is_walked_to_its_end_and_back(
    app: Litestar, client: httpx.AsyncClient, people: People, database: Database, tmp_path: Any
) -> None:
    scene = Scene(app, client, people)
    await scene.make()
    await tell(database, tmp_path)
    wrong: dict[str, str] = {}
    for who, path, known_by in LISTS:
        asked_often(app)
        try:
            found = await walked(client, f"{API}/{path.format_map(scene.made)}", scene.who[who].headers)
            keys = [one[known_by] if known_by else one for one in found]
            assert len(keys) == len(set(keys)) >= COUNT, keys
        except AssertionError as why:
            wrong[path] = str(why)[:500]
    assert wrong == {}
