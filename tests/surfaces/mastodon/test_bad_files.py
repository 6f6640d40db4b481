"""Files that are two things at once, or become much more than they are: one thing comes of them, or a sentence."""

import io
import struct
import zipfile
import zlib
from typing import Any

import httpx
import pytest
from tests.support import uploads

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)]
SCRIPT = b"<html><script>alert(1)</script></html>"


def archive() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as whole:
        whole.writestr("META-INF/MANIFEST.MF", SCRIPT)
    return written.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    """Of a PNG (PNG 3rd edition, 5.3)."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def with_chunk(kind: bytes, content: bytes) -> bytes:
    picture = uploads.photograph(form="PNG")
    return picture[:33] + chunk(kind, content) + picture[33:]  # behind IHDR


TWO_THINGS = {
    "a picture and an archive": uploads.photograph() + archive(),
    "a picture and a page": uploads.photograph(form="PNG") + SCRIPT,
    "a page in a picture": with_chunk(b"tEXt", b"Comment\0" + SCRIPT),
    "an animation and a script": uploads.animation(2) + b"*/=1;alert(1)//" + SCRIPT,
}


@pytest.mark.parametrize("what", TWO_THINGS)
async def test_a_file_that_is_two_things_is_one(client: httpx.AsyncClient, alice: Any, what: str) -> None:
    sent = {"file": ("x.html", TWO_THINGS[what], "text/html")}
    answer = await client.post("/api/v2/media", files=sent, headers=alice.headers)
    assert answer.status_code == 200, answer.text
    for url in (answer.json()["url"], answer.json()["preview_url"]):
        kept = await client.get(url.removeprefix("http://moot.test"))
        assert (kept.status_code, kept.headers["x-content-type-options"]) == (200, "nosniff")
        assert kept.headers["content-type"].startswith(("image/", "video/"))
        assert b"script" not in kept.content
        assert not zipfile.is_zipfile(io.BytesIO(kept.content))


async def test_words_that_unfold_in_a_picture_are_not_read(client: httpx.AsyncClient, alice: Any) -> None:
    bomb = with_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(50_000_000), 9))
    assert len(bomb) < 1_000_000
    answer = await client.post("/api/v2/media", files={"file": ("x.png", bomb)}, headers=alice.headers)
    assert answer.status_code in (200, 422), answer.text
    assert answer.status_code == 200 or answer.json()["error"]


async def test_a_body_is_not_unfolded(client: httpx.AsyncClient, alice: Any) -> None:
    """Nothing here takes compressed bodies: what comes so is what it is, and no JSON."""
    folded = zlib.compress(b'{"status": "' + b" " * 20_000_000 + b'"}', 9)
    headers = alice.headers | {"content-type": "application/json", "content-encoding": "deflate"}
    answer = await client.post("/api/v1/statuses", content=folded, headers=headers)
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]
    assert (await client.get(f"/api/v1/accounts/{alice.id}/statuses")).json() == []


async def test_a_thousand_mentions_are_refused(client: httpx.AsyncClient, alice: Any) -> None:
    """Also where they are hidden in what doesn't count as words."""
    for words in (" ".join(f"@p{number}" for number in range(1_000)), " ".join(f"@{n:x}" for n in range(120))):
        answer = await client.post("/api/v1/statuses", json={"status": words}, headers=alice.headers)
        assert answer.status_code == 422, answer.text
        assert answer.json()["error"]
    assert (await client.get(f"/api/v1/accounts/{alice.id}/statuses")).json() == []
