"""What is kept of reported posts for who decides: all that they said and showed, as long as the report; no trace of
it for its author."""

from urllib.parse import urlsplit

import httpx
import pytest
from litestar import Litestar
from sqlalchemy import Table, func, select
from tests.support.clock import FakeClock
from tests.support.people import People
from tests.surfaces.conftest import Person

from folkmoot.accounts import deletion
from folkmoot.gate import Action, Role
from folkmoot.leaving.job import Leaving
from folkmoot.mail.outbox import Outbox
from folkmoot.moderation.members.actions import change_role
from folkmoot.posts.files import actions as files
from folkmoot.posts.files.claims import CLEAR_UNCLAIMED, unclaimed_clearer
from folkmoot.posts.files.model import Media, MediaDetails, folder_of
from folkmoot.serve.pruning import prune
from folkmoot.storage.discarding import DELETE_OBJECTS, object_deleter
from folkmoot.storage.jobs import Job
from folkmoot.storage.tables.bus import jobs
from folkmoot.storage.tables.moderation import reported_files, reported_posts, reports
from folkmoot.storage.tables.posts import post_edits
from folkmoot.surfaces.services import Services

REPORTS = "/api/v1/reports"
DAY_MS = 86_400_000


@pytest.fixture
async def keeper(people: People) -> dict[str, str]:
    account_id = await people.create("keeper", Role.MODERATOR)
    return {"Authorization": f"Bearer {await people.token(account_id)}"}


async def post_by(client: httpx.AsyncClient, person: Person, text: str, *media_ids: str) -> str:
    said = {"status": text, "media_ids": media_ids}
    answer = await client.post("/api/v1/statuses", json=said, headers=person.headers)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


async def file_of(app: Litestar, people: People, person: Person, id_: int) -> str:
    """The id of a new file of theirs, whose key is files/ID/a."""
    key = f"files/{id_}/a"
    await app.state.equipment.services.objects.put(key, b"a picture", "image/png")
    file = Media(
        id=id_,
        account_id=person.id,
        kind="image",
        content_type="image/png",
        object_key=key,
        size_bytes=9,
        description="a fist",
        details=MediaDetails(),
        created_at_ms=0,
    )
    await people.act(person.id, Action.UPLOAD, lambda acting: files.add(acting, file))
    return str(id_)


@pytest.fixture
async def picture(app: Litestar, people: People, bob: Person) -> str:
    """The id of a file of bob's."""
    return await file_of(app, people, bob, 77)


async def deleted_with_its_picture(client: httpx.AsyncClient, picture: str, alice: Person, bob: Person) -> str:
    """The id of the report about a post that said two things more before it was deleted, and its file after it."""
    post = await post_by(client, bob, "one", picture)
    path = f"/api/v1/statuses/{post}"
    await client.put(path, json={"status": "two", "media_ids": [picture]}, headers=bob.headers)
    made = await client.post(REPORTS, json={"account_id": bob.id, "status_ids": [post]}, headers=alice.headers)
    await client.put(path, json={"status": "three", "media_ids": [picture]}, headers=bob.headers)
    await client.put(path, json={"status": "four"}, headers=bob.headers)
    assert (await client.delete(path, headers=bob.headers)).status_code == 200
    assert (await client.delete(f"/api/v1/media/{picture}", headers=bob.headers)).status_code == 200
    return str(made.json()["id"])


async def test_all_that_a_reported_post_said_and_showed_is_kept_as_long_as_the_report(
    client: httpx.AsyncClient,
    app: Litestar,
    keeper: dict[str, str],
    picture: str,
    alice: Person,
    bob: Person,
    clock: FakeClock,
) -> None:
    report = await deleted_with_its_picture(client, picture, alice, bob)
    services = app.state.equipment.services
    await empty_the_bin(services, clock)
    (one,) = (await client.get("/api/v1/admin/reports", headers=keeper)).json()
    (post,) = one["folkmoot"]["posts"]
    assert (post["now"], post["text"]) == ("deleted", "two")
    assert [said["text"] for said in post["versions"]] == ["one", "three", "four"]
    (file,) = post["media"]
    assert (file["type"], file["description"]) == ("image", "a fist")
    path = urlsplit(file["url"]).path
    seen = await client.get(path, headers=keeper)
    assert (seen.content, seen.headers["content-type"]) == (b"a picture", "image/png")
    assert seen.headers["cache-control"] == "no-store"
    assert seen.headers["cross-origin-resource-policy"] == "same-origin"
    part = await client.get(path, headers={**keeper, "Range": "bytes=2-4"})
    assert (part.status_code, part.content) == (206, b"pic")
    for who in (bob.headers, alice.headers, {}):
        assert (await client.get(path, headers=who)).status_code in (401, 403)
    assert (await client.get(f"/api/v1/media/{picture}", headers=bob.headers)).status_code == 404
    closed = await client.post(f"/api/v1/admin/reports/{report}/resolve", headers=keeper)
    assert closed.status_code == 200
    clock.advance_ms(181 * DAY_MS)
    await empty_the_bin(services, clock)
    assert await rows(services, post_edits, reports, reported_posts, reported_files) == [0, 0, 0, 0]
    with pytest.raises(FileNotFoundError):
        await services.objects.head("files/77/a")


async def test_the_owner_of_a_file_can_not_tell_that_it_was_reported(
    client: httpx.AsyncClient,
    app: Litestar,
    keeper: dict[str, str],
    people: People,
    alice: Person,
    bob: Person,
    clock: FakeClock,
) -> None:
    reported, other = [await file_of(app, people, bob, id_) for id_ in (77, 78)]
    posts = [await post_by(client, bob, "one", picture) for picture in (reported, other)]
    body = {"account_id": bob.id, "status_ids": [posts[0]]}
    report = (await client.post(REPORTS, json=body, headers=alice.headers)).json()["id"]
    for post in posts:
        assert (await client.delete(f"/api/v1/statuses/{post}", headers=bob.headers)).status_code == 200
    services = app.state.equipment.services
    await empty_the_bin(services, clock)
    for picture in (reported, other):
        media = f"/api/v1/media/{picture}"
        answers = [
            await client.get(media, headers=bob.headers),
            await client.put(media, json={"description": "a hand"}, headers=bob.headers),
            await client.delete(media, headers=bob.headers),
        ]
        assert [answer.status_code for answer in answers] == [404, 404, 404]
        again = await client.post("/api/v1/statuses", json={"media_ids": [picture]}, headers=bob.headers)
        assert again.status_code == 422
    path = f"/api/folkmoot/v1/moderation/reports/{report}/files/{reported}"
    assert (await client.get(path, headers=keeper)).content == b"a picture", "who decides sees it"
    with pytest.raises(FileNotFoundError):
        await services.objects.head("files/78/a")


async def test_a_file_that_an_edit_adds_after_the_report_is_kept_too(
    client: httpx.AsyncClient,
    app: Litestar,
    keeper: dict[str, str],
    people: People,
    alice: Person,
    bob: Person,
    clock: FakeClock,
) -> None:
    first, later = [await file_of(app, people, bob, id_) for id_ in (77, 78)]
    post = await post_by(client, bob, "one", first)
    for reporter in (alice, await another(people)):
        body = {"account_id": bob.id, "status_ids": [post]}
        assert (await client.post(REPORTS, json=body, headers=reporter.headers)).status_code == 200
    for said, shown in (("two", [first, later]), ("three", [later])):
        edit = {"status": said, "media_ids": shown}
        answer = await client.put(f"/api/v1/statuses/{post}", json=edit, headers=bob.headers)
        assert answer.status_code == 200
    await client.delete(f"/api/v1/statuses/{post}", headers=bob.headers)
    await empty_the_bin(app.state.equipment.services, clock)
    found = (await client.get("/api/v1/admin/reports", headers=keeper)).json()
    assert len(found) == 2
    for one in found:
        two, three = one["folkmoot"]["posts"][0]["versions"]
        assert [[file["id"] for file in said["media"]] for said in (two, three)] == [[first, later], [later]]
        (file,) = three["media"]
        assert file["type"] == "image"
        assert (await client.get(urlsplit(file["url"]).path, headers=keeper)).content == b"a picture"


async def another(people: People) -> Person:
    account_id = await people.create("carol")
    return Person(account_id, "carol", {"Authorization": f"Bearer {await people.token(account_id)}"})


async def test_who_tidies_up_after_uploads_leaves_what_is_kept(
    client: httpx.AsyncClient, app: Litestar, picture: str, alice: Person, bob: Person
) -> None:
    services = app.state.equipment.services
    await deleted_with_its_picture(client, picture, alice, bob)
    await services.objects.put("files/77/left", b"of an upload", "image/png")
    clear = unclaimed_clearer(services.database, services.objects)
    await clear(Job(1, "default", CLEAR_UNCLAIMED, {"media": picture}, 1))
    await work_off(services)
    assert list(await services.objects.keys(folder_of(77))) == ["files/77/a"]


async def test_a_moderator_sees_no_file_of_a_report_about_themselves(
    client: httpx.AsyncClient, people: People, picture: str, alice: Person, bob: Person
) -> None:
    report = await deleted_with_its_picture(client, picture, alice, bob)
    await people.system(lambda acting: change_role(acting, bob.id, Role.MODERATOR))
    headers = {"Authorization": f"Bearer {await people.token(bob.id)}"}
    path = f"/api/folkmoot/v1/moderation/reports/{report}/files/{picture}"
    assert (await client.get(path, headers=headers)).status_code == 404


async def test_what_was_kept_for_a_report_goes_with_the_account_it_is_about(
    client: httpx.AsyncClient, app: Litestar, picture: str, alice: Person, bob: Person
) -> None:
    await deleted_with_its_picture(client, picture, alice, bob)
    services = app.state.equipment.services
    permit = services.gate.permit_system(Action.LEAVE, "test")
    outbox = Outbox(is_open=False)
    await services.gate.act(permit, lambda acting: deletion.ask(acting, bob.id, outbox, grace_ms=0))
    await Leaving(services.gate).run(Job(1, "default", deletion.DELETE_ACCOUNT, {"account": str(bob.id)}, 1))
    await work_off(services)
    assert await rows(services, post_edits, reports, reported_posts, reported_files) == [0, 0, 0, 0]
    with pytest.raises(FileNotFoundError):
        await services.objects.head("files/77/a")


async def empty_the_bin(services: Services, clock: FakeClock) -> None:
    """What the worker does every hour, after more than a day."""
    clock.advance_ms(2 * DAY_MS)
    await prune(services.gate, reports_kept_days=180)
    await work_off(services)


async def work_off(services: Services) -> None:
    """The jobs that delete objects."""
    delete = object_deleter(services.objects)
    async with services.database.read() as read:
        waiting = await read.connection.execute(select(jobs.c.payload).where(jobs.c.kind == DELETE_OBJECTS))
        payloads = list(waiting.scalars())
    for payload in payloads:
        await delete(Job(1, "default", DELETE_OBJECTS, payload, 1))


async def rows(services: Services, *tables: Table) -> list[int]:
    """How many there are in each."""
    async with services.database.read() as read:
        return [
            (await read.connection.execute(select(func.count()).select_from(table))).scalar_one()
            for table in tables
        ]
