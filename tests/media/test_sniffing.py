"""What a file is by its first bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import uploads

from folkmoot.media import sniffing
from folkmoot.media.sniffing import Format, sniff


def box(kind: bytes, *brands: bytes) -> bytes:
    content = brands[0] + bytes(4) + b"".join(brands[1:])
    return (8 + len(content)).to_bytes(4) + kind + content


@pytest.mark.parametrize(
    ("head", "form"),
    [
        (uploads.photograph(8, 8), sniffing.JPEG),
        (uploads.photograph(8, 8, "PNG"), sniffing.PNG),
        (uploads.photograph(8, 8, "WEBP"), sniffing.WEBP),
        (uploads.animation(2), sniffing.GIF),
        (uploads.sound(seconds=0.05), sniffing.WAV),
        (uploads.sound("flac", "flac", 0.05), sniffing.FLAC),
        (uploads.sound("mp3", "libmp3lame", 0.05), sniffing.MP3),
        (uploads.sound("ogg", "libopus", 0.05), sniffing.OGG),
        (uploads.sound("adts", "aac", 0.05), sniffing.AAC),
        (b"\xff\xfb\x90\x00", sniffing.MP3),
        (box(b"ftyp", b"isom", b"mp41"), sniffing.MP4),
        (box(b"ftyp", b"qt  "), sniffing.MP4),
        (box(b"ftyp", b"M4A "), sniffing.M4A),
        (box(b"ftyp", b"heic", b"mif1"), sniffing.HEIF),
        (box(b"ftyp", b"mif1", b"avif"), sniffing.AVIF),
    ],
)
def test_what_is_taken_is_known_by_its_beginning(head: bytes, form: Format) -> None:
    assert sniff(head[: sniffing.HEAD_BYTES]) == form


@pytest.mark.parametrize(
    "head",
    [b"", b"\xff", b"GIF", uploads.DRAWING, uploads.PLAYLIST, b"%PDF-1.7", b"PK\x03\x04", b"<html>",
     b"RIFF1234AVI ", b"ffconcat version 1.0", b"MZ\x90\x00", b"\x7fELF"],
)  # fmt: skip
def test_the_rest_is_not_taken(head: bytes) -> None:
    assert sniff(head) is None


@given(st.binary(max_size=64))
def test_nothing_is_beyond_it(head: bytes) -> None:
    sniff(head)
    sniff(b"\x00\x00\x00\xffftyp" + head)
    sniff(b"\xff" + head)
