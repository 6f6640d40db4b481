"""The bytes of HTTP answers that leave without the application: a stream's head, its chunks, refusals."""

from __future__ import annotations

import http
from collections.abc import Iterable

import msgspec

CONTENT_TYPES = {
    "opus": b'audio/mp4; codecs="opus"',
    "aac": b'audio/mp4; codecs="mp4a.40.2"',
    "ogg": b"audio/ogg; codecs=opus",
    "adts": b"audio/aac",
}
CHUNKED_END = b"0\r\n\r\n"

Headers = Iterable[tuple[bytes, bytes]]

# Anyone may listen without an account, from any page; the answer never depends on a cookie of a foreign page.
_OPEN_TO_ALL = ((b"access-control-allow-origin", b"*"), (b"cache-control", b"no-store"))


def stream_head(form: str, *, chunked: bool, default_headers: Headers = ()) -> bytes:
    """The head of an endless stream. HTTP/1.1 listeners get chunked framing, HTTP/1.0 ones none.

    Chunked costs seven bytes a write and shows a player whether a stream ended or broke off (RFC 9112, 8): one
    means that the Space is over, the other that it should come back. A proxy passes that on.
    """
    headers = [
        *default_headers,
        (b"content-type", CONTENT_TYPES[form]),
        *_OPEN_TO_ALL,
        (b"x-accel-buffering", b"no"),
        (b"connection", b"close"),
    ]
    if chunked:
        headers.append((b"transfer-encoding", b"chunked"))
    return _head(200, headers)


def error_body(code: str, error: str, **more: str) -> bytes:
    """What every error of the API is: a sentence for people and a stable code for programs."""
    return msgspec.json.encode({"error": error, "code": code, **more})


def refusal(
    status: int,
    code: str,
    error: str,
    *,
    retry_after_s: int | None = None,
    hls: str | None = None,
    body: bool = True,
    default_headers: Headers = (),
) -> bytes:
    """A whole answer with the error as its body, after which the connection is closed. `hls`: where the sound is
    all the same."""
    content = error_body(code, error) if hls is None else error_body(code, error, hls=hls)
    headers = [
        *default_headers,
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(content)),
        *_OPEN_TO_ALL,
        (b"connection", b"close"),
    ]
    if retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % retry_after_s))
    return _head(status, headers) + (content if body else b"")


def chunk(data: bytes) -> bytes:
    """One chunk of the chunked transfer coding (RFC 9112, 7.1). `data` is never empty: that would end the body."""
    assert data
    return b"%x\r\n%b\r\n" % (len(data), data)


def _head(status: int, headers: Headers) -> bytes:
    lines = [b"HTTP/1.1 %d %b\r\n" % (status, http.HTTPStatus(status).phrase.encode())]
    lines += [b"%b: %b\r\n" % header for header in headers]
    return b"".join([*lines, b"\r\n"])
