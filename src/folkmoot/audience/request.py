"""What a listener asks the door for, and what the gate answers."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs

import msgspec

from folkmoot.audience.live import ADTS, OGG
from folkmoot.audience.wire import Stamp

LISTEN_CODECS = ("opus", "aac")
_FORMS = {b"live.ogg": OGG, b"live.aac": ADTS}


class ListenRequest(msgspec.Struct, frozen=True):
    """Who wants to hear what. Header values are None where the request has no such header."""

    space_id: int
    form: str
    ticket: str | None
    authorization: str | None
    cookie: str | None
    origin: str | None
    address: str


class Admission(msgspec.Struct, frozen=True):
    """May listen, as long as no subject's counter rises above the one in its stamp."""

    space_id: int
    form: str
    stamps: tuple[Stamp, ...]


class ListenRefusal(msgspec.Struct, frozen=True):
    """May not listen. `code` is for programs, `error` a sentence for people."""

    status: int
    code: str
    error: str
    retry_after_s: int | None = None
    hls: str | None = None  # where the sound is all the same


def read_request(
    space_id: int, name: bytes, query: bytes, headers: Mapping[bytes, bytes], address: str
) -> ListenRequest | ListenRefusal:
    """The request for the last `name` of its path (`listen`, `live.ogg`, `live.aac`), or why it is none."""

    def text(name: bytes) -> str | None:
        value = headers.get(name)
        return None if value is None else value.decode("latin-1")

    try:
        parameters = parse_qs(query.decode("ascii"), max_num_fields=16)
    except ValueError:
        return ListenRefusal(400, "validation_failed", "The query can't be read.")
    form = _FORMS.get(name) or parameters.get("codec", ["opus"])[-1]
    if name not in _FORMS and form not in LISTEN_CODECS:
        return ListenRefusal(400, "validation_failed", f"Codec is {' or '.join(LISTEN_CODECS)}.")
    return ListenRequest(
        space_id=space_id,
        form=form,
        ticket=parameters.get("ticket", [None])[-1],
        authorization=text(b"authorization"),
        cookie=text(b"cookie"),
        origin=text(b"origin"),
        address=address,
    )
