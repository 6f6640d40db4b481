"""HLS over HTTP: what waits, what is refused, and the draft's rules on every playlist from start to end."""

import asyncio
import errno
from typing import Any

import httpx
import numpy as np
import pytest
from tests.support import hls_rules
from tests.support.waiting import eventually
from tests.surfaces.conftest import person
from tests.surfaces.spaces.conftest import RECORDED_MS, SPACES, Hall

from folkmoot.gate import Standing
from folkmoot.gate.actions import revoke
from folkmoot.gate.model import token_subject
from folkmoot.recordings import live_tapes
from folkmoot.recordings.live_tapes import LiveTape
from folkmoot.recordings.sound import Sound
from folkmoot.surfaces.services import Services
from folkmoot.tape.encode import StepEncoder
from folkmoot.tape.model import Note
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.redact import redact
from folkmoot.tape.redactions import Redaction
from folkmoot.tape.writer import TapeWriter

# On the default database alone: what it asks PostgreSQL, others ask it too, statement by statement.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SOUND = "public, max-age=5, stale-while-revalidate=5"
PLAYLIST = "public, max-age=2, stale-while-revalidate=2"
REFUSED = "public, max-age=1, stale-while-revalidate=1"


class Stage:
    """Goes on with a tape, a step at a time, as a stage would."""

    def __init__(self, services: Services, space_id: str, lost_ms: int = 0) -> None:
        self._directory = services.tapes_directory / space_id
        with TapeReader(self._directory) as reader:
            now_ms = reader.timeline_unix_ms + reader.end_ms + lost_ms
        self._writer = TapeWriter.open(self._directory, lambda: now_ms)
        self._encoder = StepEncoder(self._writer.next_samples)

    def speak(self, steps: int = 1) -> None:
        for _ in range(steps):
            for _ in range(5):
                parts = self._encoder.encode(np.zeros(960, np.int16))
            self._writer.append(parts, Note(speaking=(2,)))

    def leave(self) -> None:
        self._writer.release()

    def end(self) -> None:
        self._writer.append(self._encoder.finish(), Note())
        self._writer.close()


class Listener:
    """Loads one codec's live playlist; each is held against the rules."""

    def __init__(self, client: httpx.AsyncClient, space_id: str, codec: str = "aac") -> None:
        self.client = client
        self.base = f"{SPACES}/{space_id}/hls/{codec}"
        self.reloads = hls_rules.Reloads()

    async def load(self, **query: Any) -> hls_rules.Playlist:
        answer = await self.client.get(f"{self.base}/live.m3u8", params={f"_HLS_{k}": v for k, v in query.items()})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("application/vnd.apple.mpegurl")
        playlist = hls_rules.read(answer.text)
        if not playlist.skipped:
            self.reloads.see(playlist)
        if "msn" in query:
            hls_rules.check_blocking(playlist, query["msn"], query.get("part"))
        return playlist

    async def status(self, name: str = "live.m3u8", **query: Any) -> int:
        answer = await self.client.get(f"{self.base}/{name}", params={f"_HLS_{k}": v for k, v in query.items()})
        return answer.status_code


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_tapes, "WAIT_S", 2.0)
    return


async def test_a_live_space_keeps_the_rules_through_a_crash_to_its_end(
    client: httpx.AsyncClient, hall: Hall, services: Services, alice: Any
) -> None:
    space_id = await hall.live(alice)
    listeners = [Listener(client, space_id, codec) for codec in ("aac", "opus")]
    for lost_ms in (0, 5_300):
        stage = Stage(services, space_id, lost_ms)
        for _ in range(12):
            for listener in listeners:
                playlist, held = await listener.load(), listener.reloads.last
                hls_rules.check_reports(playlist, {})  # the multivariant playlist, below, offers no other
                assert held is not None
                whole = hls_rules.applied(held, await listener.load(skip="YES"))
                assert [each.uri for each in whole.segments] == [each.uri for each in playlist.segments]
            stage.speak(7)
        stage.leave()
    for codec in ("aac", "opus"):
        begin = await client.get(f"{SPACES}/{space_id}/hls/index.m3u8", params={"codec": codec})
        assert begin.text.endswith(f"\nshared/{codec}/live.m3u8\n")
    assert (await client.get(f"{SPACES}/{space_id}/hls/index.m3u8?codec=mp3")).status_code == 404
    Stage(services, space_id).end()
    for listener in listeners:
        assert (await listener.load()).ended
        assert (await listener.load(msn=9_999)).ended


async def test_a_replay_is_another_playlist(client: httpx.AsyncClient, hall: Hall, alice: Any) -> None:
    space_id = await hall.ended(alice)
    text = (await client.get(f"{SPACES}/{space_id}/hls/aac/index.m3u8")).text
    playlist = hls_rules.read(text)
    hls_rules.check(playlist)
    assert (playlist.ended, playlist.kind) == (True, "VOD")
    assert abs(playlist.duration_s - RECORDED_MS / 1000) < 0.1
    last_live = await Listener(client, space_id).load()
    assert last_live.ended
    assert last_live.kind is None
    assert "live.m3u8" not in (await client.get(f"{SPACES}/{space_id}/hls/index.m3u8")).text


async def test_what_the_host_trimmed_off_is_in_no_part_and_no_playlist(
    client: httpx.AsyncClient, hall: Hall, alice: Any
) -> None:
    space_id = await hall.ended(alice)
    trimmed = await client.patch(
        f"{SPACES}/{space_id}/replay", json={"start_ms": 4_000, "end_ms": 9_050}, headers=alice.headers
    )
    assert trimmed.status_code == 200, trimmed.text
    for codec in ("aac", "opus"):
        listener = Listener(client, space_id, codec)
        assert await listener.status() == 410
        for name in ("0.0.m4s", "0.12.m4s", "2.6.m4s", "3.m4s", "3.1.m4s"):
            assert await listener.status(name) == 404, name
        for number in (1, 2):
            whole = (await client.get(f"{listener.base}/{number}.m4s")).content
            parts: list[bytes] = []
            while (part := await client.get(f"{listener.base}/{number}.{len(parts)}.m4s")).status_code == 200:
                parts.append(part.content)
            assert b"".join(parts) == whole


async def test_parts_are_the_segment_and_can_be_fetched_after_they_are_no_longer_listed(
    client: httpx.AsyncClient, hall: Hall, services: Services, alice: Any
) -> None:
    space_id = await hall.live(alice)
    Stage(services, space_id).speak(200)
    for codec in ("aac", "opus"):
        listener = Listener(client, space_id, codec)
        playlist = await listener.load()
        assert not playlist.segments[0].parts
        for number in (0, playlist.next_segment - 1):
            whole = (await client.get(f"{listener.base}/{number}.m4s")).content
            listed = playlist.numbered[number].parts
            parts: list[bytes] = []
            while (part := await client.get(f"{listener.base}/{number}.{len(parts)}.m4s")).status_code == 200:
                parts.append(part.content)
            assert part.status_code == 404
            assert b"".join(parts) == whole
            assert len(listed) in {0, len(parts)}


async def test_a_reload_waits_for_what_it_asks_for(
    client: httpx.AsyncClient, hall: Hall, services: Services, alice: Any
) -> None:
    space_id = await hall.live(alice)
    stage, listener = Stage(services, space_id), Listener(client, space_id, "opus")
    before = await listener.load()
    assert before.last_part == (3, 9)
    assert (await listener.load(msn=3, part=9)).last_part == (3, 9)
    waiting = [asyncio.create_task(listener.load(msn=3, part=part)) for part in (10, 11)]
    hinted = asyncio.create_task(client.get(f"{listener.base}/{before.hint}"))
    segment = asyncio.create_task(listener.load(msn=3))
    skipping = asyncio.create_task(listener.load(msn=3, part=24, skip="YES"))
    tape = services.live_tapes
    await eventually(lambda: tape.waiting == 5)
    stage.speak(2)
    assert (await waiting[0]).last_part == (3, 10)
    assert len((await hinted).content) > 300
    assert (await hinted).headers["cache-control"] == SOUND
    assert not waiting[1].done()
    stage.speak(2)
    assert (await waiting[1]).last_part == (3, 11)
    stage.speak(16)
    assert (await segment).next_segment == 4
    assert not skipping.done()
    stage.speak(2)
    assert (await skipping).last_part == (4, 0)
    assert tape.waiting == 0


async def test_what_is_absurd_or_no_number_is_refused(client: httpx.AsyncClient, hall: Hall, alice: Any) -> None:
    listener = Listener(client, await hall.live(alice), "opus")
    for query in (
        {"msn": 5},
        {"msn": 3, "part": 40},
        {"msn": 10**9},
        {"part": 1},
        {"msn": "x"},
        {"msn": "-1"},
        {"msn": "9" * 40},
        {"msn": 3, "part": "1.5"},
        {"msn": "\uff13"},
    ):
        assert await listener.status(**query) == 400, query
    assert await listener.status("3.9.m4s") == 200
    assert await listener.status("3.11.m4s") == 404
    assert await listener.status("9.0.m4s") == 404


async def test_nothing_new_is_said_after_a_bounded_wait(
    client: httpx.AsyncClient, hall: Hall, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_tapes, "WAIT_S", 0.05)
    listener = Listener(client, await hall.live(alice), "opus")
    assert await listener.status(msn=3, part=10) == 503
    assert await listener.status("3.10.m4s") == 503


async def test_while_no_file_is_free_players_are_told_to_come_again(
    client: httpx.AsyncClient, hall: Hall, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    listener = Listener(client, await hall.live(alice), "opus")
    with monkeypatch.context() as patched:
        patched.setattr(TapeReader, "__init__", full)
        for name in ("live.m3u8", "init.mp4", "3.9.m4s"):
            assert await listener.status(name) == 503, name
    assert await listener.status() == 200


async def test_too_many_do_not_wait(
    client: httpx.AsyncClient, hall: Hall, services: Services, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Listener(client, await hall.live(alice), "opus")
    monkeypatch.setattr(services.live_tapes, "_waiting_max", 1)
    waiting = asyncio.create_task(listener.status(msn=3, part=10))
    await eventually(lambda: services.live_tapes.waiting == 1)
    refused = await client.get(f"{listener.base}/live.m3u8?_HLS_msn=3&_HLS_part=10")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert await listener.status() == 200
    waiting.cancel()
    await eventually(lambda: services.live_tapes.waiting == 0)


async def test_who_loses_the_right_while_waiting_gets_nothing(
    client: httpx.AsyncClient, hall: Hall, services: Services, alice: Any, bob: Any
) -> None:
    space_id = await hall.live(alice, audience="invited")
    command = f"{SPACES}/{space_id}/commands"
    await client.post(
        command, json={"do": "invite", "account": str(bob.id), "role": "listener"}, headers=alice.headers
    )
    base = f"{SPACES}/{space_id}/hls/opus"
    assert (await client.get(f"{base}/live.m3u8")).status_code == 404
    heard = await client.get(f"{base}/live.m3u8", headers=bob.headers)
    assert heard.headers["cache-control"] == "private, no-store"
    stage = Stage(services, space_id)
    waiting = [
        asyncio.create_task(client.get(f"{base}/{name}", headers=bob.headers))
        for name in ("live.m3u8?_HLS_msn=3&_HLS_part=10", "3.10.m4s")
    ]
    await eventually(lambda: services.live_tapes.waiting == 2)
    removed = await client.post(command, json={"do": "remove", "account": str(bob.id)}, headers=alice.headers)
    assert removed.status_code == 200
    stage.speak(2)
    for answer in waiting:
        assert (await answer).status_code in {403, 404}


async def test_who_loses_the_right_between_asking_and_waiting_gets_nothing(
    client: httpx.AsyncClient,
    hall: Hall,
    services: Services,
    alice: Any,
    bob: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    space_id = await hall.live(alice, audience="invited")
    command = f"{SPACES}/{space_id}/commands"
    invite = {"do": "invite", "account": str(bob.id), "role": "listener"}
    await client.post(command, json=invite, headers=alice.headers)
    open_tape = services.live_tapes.open

    async def removed_meanwhile(sound: Sound) -> LiveTape:
        remove = {"do": "remove", "account": str(bob.id)}
        assert (await client.post(command, json=remove, headers=alice.headers)).status_code == 200
        return await open_tape(sound)

    monkeypatch.setattr(services.live_tapes, "open", removed_meanwhile)
    waiting = asyncio.create_task(client.get(f"{SPACES}/{space_id}/hls/opus/3.10.m4s", headers=bob.headers))
    await eventually(lambda: services.live_tapes.waiting == 1)
    Stage(services, space_id).speak(2)
    assert (await waiting).status_code in {403, 404}


@pytest.mark.parametrize("how", ["suspended", "signed_out"])
async def test_who_is_kept_out_while_waiting_hears_what_anybody_may(
    client: httpx.AsyncClient, hall: Hall, services: Services, alice: Any, bob: Any, how: str
) -> None:
    closed = await hall.live(alice, audience="invited")
    public = await hall.live(await person(hall.people, "carol"))
    invitation = {"do": "invite", "account": str(bob.id), "role": "listener"}
    await client.post(f"{SPACES}/{closed}/commands", json=invitation, headers=alice.headers)
    waiting = [
        asyncio.create_task(client.get(f"{SPACES}/{space_id}/hls/opus/{name}", headers=bob.headers))
        for space_id in (closed, public)
        for name in ("live.m3u8?_HLS_msn=3&_HLS_part=10", "3.10.m4s")
    ]
    await eventually(lambda: services.live_tapes.waiting == 4)
    if how == "suspended":
        await hall.people.put(bob.id, Standing.SUSPENDED)
    else:
        viewer = await services.gate.identify(bob.headers["Authorization"].removeprefix("Bearer "))
        assert viewer.token_id is not None
        subject = token_subject(viewer.token_id)
        await hall.people.system(lambda acting: revoke(acting, subject))
    for space_id in (closed, public):
        Stage(services, space_id).speak(2)
    assert [(await answer).status_code for answer in waiting] == [404, 404, 200, 200]


@pytest.mark.parametrize("is_live", [True, False])
async def test_what_caches_may_keep(client: httpx.AsyncClient, hall: Hall, alice: Any, is_live: bool) -> None:
    base = f"{SPACES}/{await (hall.live if is_live else hall.ended)(alice)}/hls"
    kept = {
        "index.m3u8": (200, PLAYLIST),
        "shared/aac/live.m3u8": (200, PLAYLIST),
        "shared/aac/live.m3u8?_HLS_msn=1": (200, "public, max-age=24"),
        "shared/aac/live.m3u8?_HLS_msn=1&_HLS_skip=YES": (200, "public, max-age=24"),
        "shared/aac/index.m3u8": (409, REFUSED) if is_live else (200, SOUND),
        "shared/aac/init.mp4": (200, SOUND),
        "shared/aac/1.m4s": (200, SOUND),
        "shared/aac/1.3.m4s": (200, SOUND),
        "shared/aac/1.r1.m4s": (200, "no-store"),
        "shared/aac/9.m4s": (404, "no-store"),
        "shared/aac/9.9.m4s": (404, "no-store"),
        "shared/aac/live.m3u8?_HLS_msn=x": (400, "no-store"),
    }
    for name, said in kept.items():
        answer = await client.get(f"{base}/{name}")
        assert (answer.status_code, answer.headers["cache-control"]) == said, name
        assert "set-cookie" not in answer.headers
        assert "vary" not in answer.headers


async def test_nobody_waits_in_a_cache_for_a_space_that_is_over(
    client: httpx.AsyncClient, hall: Hall, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_tapes, "WAIT_S", 0.05)
    space_id = await hall.live(alice)
    base = f"{SPACES}/{space_id}/hls/shared/opus"
    silent = await client.get(f"{base}/live.m3u8?_HLS_msn=3&_HLS_part=10")
    assert (silent.status_code, silent.headers["cache-control"]) == (503, REFUSED)
    await hall.end(alice, space_id)
    for space, status in ((space_id, 503), ("7", 404)):
        for name in ("live.m3u8", "live.m3u8?_HLS_msn=3&_HLS_part=10", "3.10.m4s", "init.mp4"):
            answer = await client.get(f"{SPACES}/{space}/hls/shared/opus/{name}")
            assert (answer.status_code, answer.headers["cache-control"]) == (status, REFUSED), name


@pytest.mark.parametrize("why", ["invited", "limited"])
async def test_what_not_everybody_may_hear_gets_into_no_cache(
    client: httpx.AsyncClient, hall: Hall, alice: Any, bob: Any, why: str
) -> None:
    space_id = await hall.live(alice, **({"audience": "invited"} if why == "invited" else {}))
    if why == "invited":
        command = {"do": "invite", "account": str(bob.id), "role": "listener"}
        await client.post(f"{SPACES}/{space_id}/commands", json=command, headers=alice.headers)
    else:
        await hall.people.follow(bob.id, alice.id)
        await hall.people.put(alice.id, Standing.LIMITED)
    base = f"{SPACES}/{space_id}/hls"
    begin = await client.get(f"{base}/index.m3u8", headers=bob.headers)
    assert begin.text.endswith("\naac/live.m3u8\n")
    for name in (
        "index.m3u8",
        "aac/live.m3u8",
        "aac/live.m3u8?_HLS_msn=1",
        "aac/init.mp4",
        "aac/1.m4s",
        "aac/1.3.m4s",
    ):
        own = await client.get(f"{base}/{name}", headers=bob.headers)
        assert (own.status_code, own.headers["cache-control"]) == (200, "private, no-store"), name
        nobodys = await client.get(f"{base}/{name}")
        assert (nobodys.status_code, nobodys.headers["cache-control"]) == (404, "no-store"), name
        if "/" in name:
            shared = await client.get(f"{base}/shared/{name}", headers=bob.headers)
            assert (shared.status_code, shared.headers["cache-control"]) == (404, REFUSED), name
    media = await client.get(f"{SPACES}/{space_id}/media/aac?from_ms=0&to_ms=1000", headers=bob.headers)
    assert (media.status_code, media.headers["cache-control"]) == (200, "private, no-store")


async def test_a_shared_address_answers_all_alike(
    client: httpx.AsyncClient, hall: Hall, alice: Any, bob: Any
) -> None:
    space_id = await hall.live(alice)
    gone = await hall.people.token(bob.id)
    await client.post(
        f"{SPACES}/{space_id}/commands", json={"do": "remove", "account": str(bob.id)}, headers=alice.headers
    )
    await hall.people.put(bob.id, Standing.SUSPENDED)
    credentials: list[dict[str, str]] = [
        {},
        alice.headers,
        bob.headers,
        {"Authorization": "Bearer nonsense"},
        {"Cookie": f"folkmoot_session={gone}"},
    ]
    for name in ("live.m3u8", "init.mp4", "1.m4s", "1.3.m4s"):
        address = f"{SPACES}/{space_id}/hls/shared/aac/{name}"
        answers = [await client.get(address, headers=shown) for shown in credentials]
        assert len({(one.status_code, one.content, one.headers["cache-control"]) for one in answers}) == 1, name
        assert answers[0].status_code == 200


async def test_the_live_edge_opens_no_file(
    client: httpx.AsyncClient, hall: Hall, services: Services, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = Listener(client, await hall.live(alice))
    playlist = await listener.load()
    monkeypatch.setattr("folkmoot.recordings.sound.TapeReader", None)
    newest = [part.uri for part in playlist.open_parts] + ["2.m4s", "2.0.m4s"]
    assert {await listener.status(name) for name in newest} == {200}


async def test_what_is_taken_out_has_other_addresses_at_once(
    client: httpx.AsyncClient, hall: Hall, services: Services, alice: Any
) -> None:
    space_id = await hall.live(alice)
    listener = Listener(client, space_id, "opus")
    before = (await listener.client.get(f"{listener.base}/live.m3u8")).text
    directory = services.tapes_directory / space_id
    await asyncio.to_thread(redact, directory, Redaction("1", 5_000, 5_500, "an address", "host", 0))
    after = (await listener.client.get(f"{listener.base}/live.m3u8")).text
    changed = {line for line in after.splitlines() if line not in before and "DATERANGE" not in line}
    assert any(line.startswith("1.r") for line in changed)
    assert all('"1.' in line or line.startswith("1.r") for line in changed)
    name = next(line for line in changed if line.startswith("1.r"))
    assert await listener.status(name) == 200


@pytest.mark.parametrize("is_live", [True, False])
async def test_no_cache_keeps_an_address_before_a_playlist_names_it(
    client: httpx.AsyncClient, hall: Hall, services: Services, alice: Any, is_live: bool
) -> None:
    space_id = await (hall.live if is_live else hall.ended)(alice)
    base = f"{SPACES}/{space_id}/hls/aac"

    async def kept(name: str) -> str:
        return (await client.get(f"{base}/{name}")).headers["cache-control"]

    ahead = [f"{name}.r{revision}.m4s" for name in ("2", "2.5") for revision in range(1, 12)]
    assert {await kept(name) for name in ahead} == {"no-store"}
    assert {await kept(name) for name in ("2.m4s", "2.5.m4s")} == {SOUND}
    directory = services.tapes_directory / space_id
    await asyncio.to_thread(redact, directory, Redaction("1", 9_000, 9_500, "an address", "host", 0))
    playlist = (await client.get(f"{base}/live.m3u8")).text
    named = [name for name in ahead if name in playlist.replace('"', "\n").splitlines()]
    assert {await kept(name) for name in named} == {SOUND}
    assert len(named) == 2
    assert {await kept(name) for name in [*ahead, "2.m4s", "2.5.m4s"] if name not in named} == {"no-store"}


async def test_only_what_others_do_not_read_counts_against_an_address(
    client: httpx.AsyncClient, hall: Hall, services: Services, alice: Any
) -> None:
    space_id = await hall.live(alice)
    Stage(services, space_id).speak(200)  # up to 34 s: segment 8 is the newest

    async def left(name: str) -> int:
        answer = await client.get(f"{SPACES}/{space_id}/hls/{name}")
        return int(answer.headers["x-ratelimit-remaining"])

    all_but_one = await left("aac/live.m3u8")
    for name in ("aac/live.m3u8", "opus/8.3.m4s", "aac/4.m4s", "aac/live.m3u8?_HLS_msn=5", "aac/7.0.m4s"):
        assert await left(name) == all_but_one, name
    for count, name in enumerate(("aac/3.m4s", "aac/3.1.m4s", "aac/9.0.m4s", "aac/live.m3u8?_HLS_msn=99")):
        assert await left(name) == all_but_one - count, name
    await hall.end(alice, space_id)
    await hall.close(space_id)
    for count, name in enumerate(("aac/live.m3u8", "aac/3.m4s", "aac/index.m3u8"), start=4):
        assert await left(name) == all_but_one - count, name
