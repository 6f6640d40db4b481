"""Ranges of bytes (RFC 9110, 14): what a player asks for when it seeks. Pure."""

import re

import msgspec

_ONE_RANGE = re.compile(r"bytes=(?P<first>[0-9]{0,15})-(?P<last>[0-9]{0,15})")


class ByteRange(msgspec.Struct, frozen=True):
    """`[start, end)` of a file of `size_bytes`."""

    start: int
    end: int
    size_bytes: int

    @property
    def content_range(self) -> str:
        return f"bytes {self.start}-{self.end - 1}/{self.size_bytes}"


class Unsatisfiable(Exception):
    """The range begins behind the end of the file: 416."""


def parse_range(header: str | None, size_bytes: int) -> ByteRange | None:
    """The range to answer with 206, or None to answer with the whole: no range, several, or none that is one.

    Raises Unsatisfiable.
    """
    match = _ONE_RANGE.fullmatch(header.strip()) if header is not None else None
    if match is None or not (match["first"] or match["last"]):
        return None
    if not match["first"]:
        length = min(int(match["last"]), size_bytes)
        if length == 0:
            raise Unsatisfiable
        return ByteRange(size_bytes - length, size_bytes, size_bytes)
    start = int(match["first"])
    last = int(match["last"]) if match["last"] else size_bytes - 1
    if last < start and match["last"]:
        return None
    if start >= size_bytes:
        raise Unsatisfiable
    return ByteRange(start, min(last + 1, size_bytes), size_bytes)
