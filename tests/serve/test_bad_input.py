"""What strangers throw at a whole server while two people talk: a sentence for each, and the two notice nothing."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from tests.serve.moot import SDP, SPACES, Moot, Person, Talk, sentence_of
from tests.stage.peers import Client, until
from tests.support.server import Server
from tests.support.waiting import PATIENCE_S, Starved

from folkmoot.audience.limiter import JOINS_BURST, JOINS_PER_SECOND
from folkmoot.gate import Standing

pytestmark = [
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),
]
JSON = {"Content-Type": "application/json"}
TOO_LARGE = 2_000_000
NO_SPACE = {"id": "1"}


async def raw(server: Server, sent: bytes) -> bytes:
    """What comes back for bytes that no HTTP client would send, until the server closes."""
    address = urlsplit(server.base_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(sent)
        async with asyncio.timeout(PATIENCE_S):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def pieces(total: int) -> AsyncIterator[bytes]:
    for _ in range(total // 50_000):
        yield b"x" * 50_000


def bodies() -> dict[str, dict[str, Any]]:
    filler = "x" * TOO_LARGE
    return {
        "json": {"content": json.dumps({"status": filler, "title": filler}), "headers": JSON},
        "form": {"data": {"status": filler}},
        "multipart": {"files": {"status": (None, filler)}},
        "unannounced": {"content": pieces(TOO_LARGE), "headers": JSON},
        "unannounced form": {
            "content": pieces(TOO_LARGE),
            "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        },
    }


async def refused(who: Person, method: str, path: str, *statuses: int, **sent: Any) -> str:
    """The code of the refusal, which has the API's own form."""
    return sentence_of(await who.http.request(method, path, **sent), *statuses)


async def test_bodies_too_large(talk: Talk) -> None:
    async with talk.undisturbed():
        for path in ("/api/v1/statuses", "/oauth/token", "/api/v1/apps"):
            for sent in bodies().values():
                began_s, starved = time.monotonic(), Starved()
                assert await refused(talk.host, "POST", path, 413, **sent) == "http_413"
                assert time.monotonic() - began_s - starved.s() < 3
        for kind in ("json", "unannounced"):
            await refused(talk.host, "POST", SPACES, 413, **bodies()[kind])
            await refused(talk.host, "POST", f"{SPACES}/{talk.space['id']}/commands", 413, **bodies()[kind])


async def test_bodies_that_never_end_keep_nobody_waiting(talk: Talk, server: Server) -> None:
    address = urlsplit(server.base_url)
    head = f"POST /api/v1/statuses HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {talk.host.token}\r\n"
    head += "Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{"
    slow = [await asyncio.open_connection(address.hostname, address.port) for _ in range(200)]
    async with talk.undisturbed():
        for _, writer in slow:
            writer.write(head.encode())
        began_s, starved = time.monotonic(), Starved()
        await talk.host.look(talk.space)
        assert (await talk.host.http.post("/api/v1/statuses", json={"status": "Still here"})).status_code == 200
        assert time.monotonic() - began_s - starved.s() < 2
    for _, writer in slow:
        writer.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-Long: " + b"y" * 300_000 + b"\r\n\r\n",
        b"".join([b"GET / HTTP/1.1\r\nHost: x\r\n", *(b"X-%d: y\r\n" % n for n in range(50_000)), b"\r\n"]),
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500,
        b"POST /api/v1/apps HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        b"POST /api/v1/apps HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/v1/apps HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
    ],
    ids=["long header", "many headers", "long path", "TLS", "two lengths", "negative length", "broken chunk"],
)
async def test_heads_that_are_none(talk: Talk, server: Server, sent: bytes) -> None:
    async with talk.undisturbed():
        answer = await raw(server, sent)
    assert not answer or answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 404", b"HTTP/1.1 431")), answer[:200]


def offers(good: str) -> dict[str, tuple[bytes, dict[str, str], int]]:
    """Offers that can't be answered, their content type, and what is said."""
    section = "m=audio 9 UDP/TLS/RTP/SAVPF 96\r\n"
    return {
        "nothing": (b"", SDP, 422),
        "no SDP": (b"hello", SDP, 422),
        "not text": (b"v=0\r\n\xff\xfe", SDP, 422),
        "half": (good[: len(good) // 2].encode(), SDP, 422),
        "no audio": (good[: good.index("m=audio")].encode(), SDP, 422),
        "video only": (good.replace("m=audio", "m=video").encode(), SDP, 422),
        "other codecs": (good.replace("opus/48000", "speex/32000").encode(), SDP, 422),
        "a hundred sections": ((good + section * 99).encode(), SDP, 422),
        "a thousand lines": ((good + "a=x\r\n" * 1_000).encode(), SDP, 422),
        "too long": ((good + "a=" + "x" * 70_000).encode(), SDP, 413),
        "no fingerprint": ("\r\n".join(x for x in good.split("\r\n") if "fingerprint" not in x).encode(), SDP, 422),
        "as JSON": (json.dumps({"sdp": good}).encode(), JSON, 415),
        "untyped": (good.encode(), {}, 415),
    }


async def test_offers_that_cannot_be_answered(talk: Talk) -> None:
    client = Client(1_000)
    client.connection.addTrack(client.tone)
    await client.connection.setLocalDescription(await client.connection.createOffer())
    good = client.connection.localDescription.sdp
    whip = f"{SPACES}/{talk.space['id']}/whip"
    async with talk.undisturbed():
        for name, (content, headers, status) in offers(good).items():
            answer = await talk.guest.http.post(whip, content=content, headers=headers)
            assert answer.status_code == status, (name, answer.text)
            assert sentence_of(answer, status) in ("offer_refused", "offer_too_large", "not_sdp"), name
    await client.close()


async def test_offers_of_those_without_a_seat(talk: Talk, moot: Moot) -> None:
    stranger = await moot.person("sven")
    whip = f"{SPACES}/{talk.space['id']}/whip"
    assert await refused(stranger, "POST", whip, 403, content="v=0", headers=SDP) == "no_seat"
    assert await refused(moot.nobody("127.0.2.1"), "POST", whip, 401, content="v=0", headers=SDP)
    assert await refused(stranger, "POST", f"{SPACES}/1/whip", 404, content="v=0", headers=SDP) == "not_found"
    gone = await stranger.http.delete(f"{whip}/1/none")
    assert gone.status_code == 200, "harmless: the seat is not theirs"
    await until(talk.both_hear)


FLOOD = """
import http.client, json, sys, time
host, path = sys.argv[1], sys.argv[2]
statuses, began = {}, time.monotonic()
waits = []
for _ in range(1000):
    connection = http.client.HTTPConnection(host, timeout=60, source_address=("127.0.3.1", 0))
    connection.request("GET", path)
    answer = connection.getresponse()
    statuses[answer.status] = statuses.get(answer.status, 0) + 1
    if answer.status == 429:
        waits.append(answer.headers["Retry-After"])
        assert json.loads(answer.read())["error"]
    connection.close()
print(json.dumps({"statuses": statuses, "waits": sorted(set(waits)), "took_s": time.monotonic() - began}))
"""


async def test_a_thousand_joins_from_one_address(talk: Talk, moot: Moot, server: Server) -> None:
    path = f"{SPACES}/{talk.space['id']}/listen?codec=aac"
    host = urlsplit(server.base_url).netloc
    async with talk.undisturbed():
        flood = await asyncio.create_subprocess_exec(
            sys.executable, "-c", FLOOD, host, path, stdout=asyncio.subprocess.PIPE
        )
        other = moot.nobody("127.0.3.2")
        for _ in range(5):
            async with other.http.stream("GET", path) as answer:
                assert answer.status_code == 200
                assert b"ftyp" in await anext(answer.aiter_raw())
        said, _ = await flood.communicate()
    found = json.loads(said)
    assert found["statuses"]["200"] <= JOINS_BURST + JOINS_PER_SECOND * (found["took_s"] + 1)
    assert set(found["statuses"]) <= {"200", "429"}
    assert set(found["waits"]) <= {"1"}


def forged(key: bytes, space_id: str, **claims: Any) -> str:
    held = {"aud": f"space:{space_id}", "exp": int(time.time()) + 60, "stamps": [], **claims}
    return jwt.encode({"alg": "HS256", "typ": "listen-ticket"}, held, OctKey.import_key(key))


async def test_tickets_that_open_nothing(talk: Talk, moot: Moot, server: Server) -> None:
    tess = await moot.person("tess")
    here = f"{SPACES}/{talk.space['id']}"
    there = await (await moot.person("theo")).open_space("Another")
    ticket = (await tess.http.post(f"{here}/join")).json()["ticket"]
    other = (await tess.http.post(f"{SPACES}/{there['id']}/join")).json()["ticket"]
    key = (server.data / "keys" / "listen-tickets.key").read_bytes()
    nobody = moot.nobody("127.0.4.1")
    async with nobody.http.stream("GET", f"{here}/listen", params={"ticket": ticket}) as listening:
        assert listening.status_code == 200
    bad = {
        "another Space's": other,
        "forged": forged(b"k" * 32, talk.space["id"]),
        "over": forged(key, talk.space["id"], exp=int(time.time()) - 1),
        "cut": ticket[:-4],
        "unsigned": "eyJhbGciOiJub25lIn0." + ticket.split(".")[1] + ".",
        "long": "a" * 5_000,
        "empty stamps as text": forged(key, talk.space["id"], stamps="x"),
        "no number": forged(key, talk.space["id"], exp="soon"),
        "NUL": "\0",
    }
    for name, text in bad.items():
        answer = await nobody.http.get(f"{here}/listen", params={"ticket": text})
        assert answer.status_code == 401, (name, answer.status_code)
        sentence_of(answer, 401)
    await moot.people.put(int(tess.id), Standing.SUSPENDED)
    sentence_of(await nobody.http.get(f"{here}/listen", params={"ticket": ticket}), 403)


async def test_tickets_of_a_space_that_ended(moot: Moot) -> None:
    host, listener = await moot.person("uma"), await moot.person("ugo")
    space = await host.open_space("Soon over")
    path = f"{SPACES}/{space['id']}"
    ticket = (await listener.http.post(f"{path}/join")).json()["ticket"]
    await host.tell(space, "end")
    sentence_of(await listener.http.get(f"{path}/listen", params={"ticket": ticket}), 403, 410)
    sentence_of(await listener.http.get(f"{path}/listen"), 410)
    assert await refused(listener, "POST", f"{path}/join", 409) == "not_live"
