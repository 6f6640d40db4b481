"""Open streams: what each is told, how often, and how many there may be."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from tests.support.waiting import eventually
from tests.surfaces.conftest import FakeStages, Person

from folkmoot.gate import Refused
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.spaces.hub import (
    CHANGED,
    COUNTS,
    COUNTS_EVERY_S,
    END,
    PICTURE_EVERY_S,
    STREAMS_OF_A_SPACE_MAX,
    STREAMS_OF_AN_ACCOUNT_MAX,
    STREAMS_OF_LOOKERS_MAX,
    Hub,
    Inbox,
)

SPACES = "/api/folkmoot/v1/spaces"


@contextmanager
def streams(hub: Hub, count: int) -> Iterator[list[Inbox]]:
    opened = [hub.subscribe(5, account_id) for account_id in range(count)]
    yield opened
    for inbox in opened:
        hub.unsubscribe(5, inbox)


async def test_a_change_is_kept_when_a_notice_follows_it() -> None:
    hub = Hub(lambda: 0.0)
    with streams(hub, 1) as (inbox,):
        for word in (CHANGED, CHANGED, "tape_full", "tape_ok", CHANGED):
            hub.tell(5, word)
        assert [await inbox.next_word() for _ in range(3)] == ["tape_full", "tape_ok", CHANGED]


async def test_a_stream_gets_one_picture_at_a_time_and_the_end_at_once() -> None:
    hub, now_s = Hub(lambda: 0.0), asyncio.get_running_loop().time
    with streams(hub, 1) as (inbox,):
        hub.tell(5, CHANGED)
        assert await inbox.next_word() == CHANGED
        first_s = now_s()
        hub.tell(5, CHANGED)
        assert await inbox.next_word() == CHANGED
        assert now_s() - first_s >= PICTURE_EVERY_S * 0.9
        hub.tell(5, CHANGED)
        waiting = asyncio.create_task(inbox.next_word())
        await asyncio.sleep(0)
        inbox.end()
        assert await waiting == END
        assert now_s() - first_s < PICTURE_EVERY_S * 2


async def test_many_streams_do_not_all_ask_in_the_same_moment() -> None:
    hub, now_s = Hub(lambda: 0.5), asyncio.get_running_loop().time
    with streams(hub, 100) as inboxes:
        told_s = now_s()
        hub.tell(5, CHANGED)
        assert await inboxes[0].next_word() == CHANGED
        assert now_s() - told_s >= 0.45


async def test_counts_are_told_at_most_once_a_second_and_after_a_picture() -> None:
    hub, now_s = Hub(lambda: 0.0), asyncio.get_running_loop().time
    with streams(hub, 1) as (inbox,):
        for word in (COUNTS, CHANGED, COUNTS):
            hub.tell(5, word)
        assert [await inbox.next_word() for _ in range(2)] == [CHANGED, COUNTS]
        first_s = now_s()
        hub.tell(5, COUNTS)
        assert await inbox.next_word() == COUNTS
        assert now_s() - first_s >= COUNTS_EVERY_S * 0.9


async def test_a_crowd_that_looks_on_keeps_no_speaker_from_following() -> None:
    hub = Hub()
    with streams(hub, STREAMS_OF_LOOKERS_MAX):
        with pytest.raises(Refused, match="Too many people"):
            hub.require_room(5, 1_000, takes_part=False)
        hub.require_room(5, 1_000, takes_part=True)


async def test_how_many_may_follow() -> None:
    hub = Hub()
    with streams(hub, STREAMS_OF_A_SPACE_MAX):
        with pytest.raises(Refused, match="Too many people") as refusal:
            hub.subscribe(5, 1_000)
        assert refusal.value.status == 429
        hub.unsubscribe(6, hub.subscribe(6, 1_000))
    assert hub.followed() == set()
    hub.subscribe(5, 1)


async def test_one_account_opens_only_so_many_streams(
    client: httpx.AsyncClient, services: Services, alice: Person
) -> None:
    made = await client.post(SPACES, json={"title": "The Moot", "start": True}, headers=alice.headers)
    space_id = made.json()["id"]
    for other in range(STREAMS_OF_AN_ACCOUNT_MAX):
        services.hub.subscribe(other, alice.id)
    refused = await client.get(f"{SPACES}/{space_id}/events", headers=alice.headers)
    assert refused.status_code == 429
    assert refused.json()["code"] == "too_many_streams"
    assert refused.json()["error"].endswith(".")


async def test_a_stream_says_at_its_start_which_stage_process_there_is(
    client: httpx.AsyncClient, services: Services, stages: FakeStages, alice: Person
) -> None:
    made = await client.post(SPACES, json={"title": "The Moot", "start": True}, headers=alice.headers)
    space_id = int(made.json()["id"])
    stages.generations[space_id] = 7
    asking = asyncio.create_task(client.get(f"{SPACES}/{space_id}/events", headers=alice.headers))
    hub = services.hub
    assert isinstance(hub, Hub)
    await eventually(lambda: space_id in hub.followed())
    # The word is kept until the stream has sent what came before it.
    (inbox,) = hub._inboxes[space_id]
    await eventually(lambda: not inbox._notices)
    inbox.end()
    events = [line for line in (await asking).text.splitlines() if line.startswith(("event:", 'data: {"gen'))]
    assert events == ["event: space", "event: stage", 'data: {"generation":7}', "event: end"]
