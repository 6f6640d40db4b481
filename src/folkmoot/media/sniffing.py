"""What a file is by its first bytes. Names and types that the sender gave count for nothing. Pure."""

from typing import Literal

import msgspec

HEAD_BYTES = 4096
Family = Literal["image", "film", "sound"]


class Format(msgspec.Struct, frozen=True):
    """A form of file that is taken. `reader`: its name in Pillow (images), in FFmpeg (the others).

    A file is read as that and nothing else, so that one that is two things at once is one here.
    """

    family: Family
    reader: str
    mime_type: str


JPEG = Format("image", "JPEG", "image/jpeg")
PNG = Format("image", "PNG", "image/png")
GIF = Format("image", "GIF", "image/gif")
WEBP = Format("image", "WEBP", "image/webp")
HEIF = Format("image", "HEIF", "image/heic")
AVIF = Format("image", "AVIF", "image/avif")
MP4 = Format("film", "mov", "video/mp4")
MATROSKA = Format("film", "matroska", "video/webm")
M4A = Format("sound", "mov", "audio/mp4")
MP3 = Format("sound", "mp3", "audio/mpeg")
OGG = Format("sound", "ogg", "audio/ogg")
FLAC = Format("sound", "flac", "audio/flac")
WAV = Format("sound", "wav", "audio/wav")
AAC = Format("sound", "aac", "audio/aac")

_STARTS = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"\x1a\x45\xdf\xa3", MATROSKA),
    (b"OggS", OGG),
    (b"fLaC", FLAC),
    (b"ID3", MP3),
)
_RIFF = {b"WEBP": WEBP, b"WAVE": WAV}
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc", b"hevx"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_SOUND_BRANDS = frozenset({b"M4A ", b"M4B "})

MIME_TYPES = (
    "image/jpeg", "image/png", "image/gif", "image/heic", "image/heif", "image/webp", "image/avif",
    "video/webm", "video/mp4", "video/quicktime", "video/x-matroska",
    "audio/wave", "audio/wav", "audio/x-wav", "audio/x-pn-wave", "audio/vnd.wave", "audio/ogg", "audio/vorbis",
    "audio/mpeg", "audio/mp3", "audio/webm", "audio/flac", "audio/aac", "audio/m4a", "audio/x-m4a", "audio/mp4",
    "audio/3gpp",
)  # fmt: skip
"""What clients are told that they may choose, by all the names in use."""


def sniff(head: bytes) -> Format | None:
    """The form of a file that begins with these bytes; None for one that isn't taken."""
    for start, found in _STARTS:
        if head.startswith(start):
            return found
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _of_brands(head)
    if len(head) >= 4 and head[0] == 0xFF:
        return _of_sync_word(head)
    # QuickTime before 2001 has no `ftyp`.
    return MP4 if head[4:8] in (b"moov", b"mdat", b"wide", b"free") else None


def may_move(form: Format, head: bytes) -> bool:
    """Whether there may be more than one picture in it: APNG and WebP say so where they begin."""
    if form.family != "image":
        return True
    return form is GIF or (form is PNG and b"acTL" in head) or (form is WEBP and b"ANIM" in head)


def _of_brands(head: bytes) -> Format:
    """ISO/IEC 14496-12, 4.3: the main brand, then those that the file is as well."""
    size = min(int.from_bytes(head[:4]), len(head))
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, size - 3, 4))]
    if _AVIF_BRANDS & set(brands):
        return AVIF
    if brands[0] in _HEIF_BRANDS:
        return HEIF
    return M4A if brands[0] in _SOUND_BRANDS else MP4


def _of_sync_word(head: bytes) -> Format | None:
    """Frames of MPEG audio (ISO/IEC 11172-3, 2.4.1.3) and of ADTS (ISO/IEC 14496-3, 1.A.2) begin alike."""
    if head[1] & 0xF6 == 0xF0:
        return AAC
    has_bitrate_and_rate = head[2] & 0xF0 != 0xF0 and head[2] & 0x0C != 0x0C
    return MP3 if head[1] & 0xE0 == 0xE0 and head[1] & 0x06 == 0x02 and has_bitrate_and_rate else None
