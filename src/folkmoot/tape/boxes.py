"""The boxes of CMAF (ISO/IEC 14496-12, 23000-19), written by hand and read back. Pure: bytes in, bytes out.

An init segment describes one mono track at 48 kHz, Opus (Opus in ISOBMFF, 4.3) or AAC-LC (14496-14, 5.6). A chunk
is `[emsg] moof mdat`, where the emsg carries a Note in an ID3 tag (AOM "Carriage of ID3 in emsg"), which is what
hls.js and Safari hand to a page. The timescale is the sample rate everywhere.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

import msgspec

from folkmoot.tape.model import SAMPLE_RATE, Codec, CodecConfig, Note, TapeError

ID3_SCHEME = b"https://aomedia.org/emsg/ID3"
NOTE_DESCRIPTION = b"folkmoot.note"
MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_UNKNOWN_DURATION = 0xFFFFFFFF
_SYNC_SAMPLE = 0x02000000  # depends on nothing
_TFHD_FLAGS = 0x020000 | 0x8 | 0x20  # default-base-is-moof, default duration, default flags
_TRUN_FLAGS = 0x1 | 0x200  # data offset, sizes
_EMSG_FIXED = struct.Struct(">IQII")
_ID3_TEXT = 10 + 10 + 1 + len(NOTE_DESCRIPTION) + 1  # where the text stands in the tag
_EMSG_TEXT = 12 + _EMSG_FIXED.size + len(ID3_SCHEME) + 2 + _ID3_TEXT
_MOOF_FIXED_BYTES = 96  # everything but four bytes for each sample


class BoxError(TapeError):
    """These bytes are not the boxes that this module writes."""


class Chunk(msgspec.Struct, frozen=True):
    """A chunk read back: `sequence` from 1, positions and durations in samples."""

    sequence: int
    start_samples: int
    frame_samples: int
    frames: tuple[bytes, ...]
    note: Note | None


def box(kind: bytes, *payloads: bytes) -> bytes:
    """A box of a four-letter kind."""
    payload = b"".join(payloads)
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


def full_box(kind: bytes, version: int, flags: int, *payloads: bytes) -> bytes:
    """A box with a version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *payloads)


def init_segment(config: CodecConfig) -> bytes:
    """`ftyp moov`: what a decoder reads before any chunk."""
    tables = (
        full_box(b"stts", 0, 0, bytes(4)),
        full_box(b"stsc", 0, 0, bytes(4)),
        full_box(b"stsz", 0, 0, bytes(8)),
        full_box(b"stco", 0, 0, bytes(4)),
    )
    extends = box(b"mvex", full_box(b"trex", 0, 0, struct.pack(">5I", 1, 1, 0, 0, 0)))
    brands = box(b"ftyp", b"iso6", bytes(4), b"iso6", b"cmfc", b"mp41")
    return brands + movie(track(config, tables), extends)


def movie(trak: bytes, *more: bytes, duration_samples: int = 0) -> bytes:
    """`moov` around one track."""
    header = struct.pack(">IIIIIH", 0, 0, SAMPLE_RATE, duration_samples, 0x10000, 0x100)
    mvhd = full_box(b"mvhd", 0, 0, header, bytes(10), MATRIX, bytes(24), struct.pack(">I", 2))
    return box(b"moov", mvhd, trak, *more)


def track(
    config: CodecConfig,
    tables: Sequence[bytes],
    *,
    media_samples: int = 0,
    duration_samples: int = 0,
    edits: bytes = b"",
) -> bytes:
    """`trak` with the sample tables given after its description.

    `media_samples` are all there are, `duration_samples` those that are played; both 0 where fragments follow.
    """
    description = full_box(b"stsd", 0, 0, struct.pack(">I", 1), sample_entry(config))
    reference = full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1))
    minf = box(
        b"minf",
        full_box(b"smhd", 0, 0, bytes(4)),
        box(b"dinf", reference),
        box(b"stbl", description, *tables),
    )
    undetermined = 0x55C4  # the language
    mdia = box(
        b"mdia",
        full_box(b"mdhd", 0, 0, struct.pack(">4IHH", 0, 0, SAMPLE_RATE, media_samples, undetermined, 0)),
        full_box(b"hdlr", 0, 0, bytes(4), b"soun", bytes(12), b"Sound\0"),
        minf,
    )
    header = struct.pack(">5I8xHHHH", 0, 0, 1, 0, duration_samples, 0, 0, 0x100, 0)
    enabled_in_movie = 3
    return box(b"trak", full_box(b"tkhd", 0, enabled_in_movie, header, MATRIX, bytes(8)), edits, mdia)


def sample_entry(config: CodecConfig) -> bytes:
    """`Opus` with dOps, or `mp4a` with esds."""
    if config.codec is Codec.OPUS:
        kind = b"Opus"
        specific = box(b"dOps", struct.pack(">BBHIhB", 0, 1, config.preskip_samples, SAMPLE_RATE, 0, 0))
    else:
        kind = b"mp4a"
        specific = full_box(b"esds", 0, 0, _elementary_stream(config.audio_specific_config))
    audio = struct.pack(">6xH8xHHHHI", 1, 1, 16, 0, 0, SAMPLE_RATE << 16)
    return box(kind, audio, specific)


def _elementary_stream(audio_specific_config: bytes) -> bytes:
    """ES_Descriptor (14496-1, 7.2.6.5): MPEG-4 audio, an audio stream, the decoder's own configuration."""
    decoder_specific = _descriptor(5, audio_specific_config)
    decoder = _descriptor(4, struct.pack(">BB3xII", 0x40, 0x15, 0, 0) + decoder_specific)
    return _descriptor(3, struct.pack(">HB", 1, 0) + decoder + _descriptor(6, b"\x02"))


def _descriptor(tag: int, payload: bytes) -> bytes:
    assert len(payload) < 0x80
    return bytes([tag, 0x80, 0x80, 0x80, len(payload)]) + payload


def chunk_header(
    sequence: int, start_samples: int, frame_samples: int, sizes: Sequence[int], event: bytes = b""
) -> bytes:
    """Everything of a chunk before the frames themselves. `event` is an emsg box or nothing."""
    count = len(sizes)
    moof_bytes = _MOOF_FIXED_BYTES + 4 * count
    moof = struct.pack(
        f">I4sI4sIII4sI4sIIIII4sIQI4sIII{count}I",
        *(moof_bytes, b"moof"),
        *(16, b"mfhd", 0, sequence),
        *(moof_bytes - 24, b"traf"),
        *(24, b"tfhd", _TFHD_FLAGS, 1, frame_samples, _SYNC_SAMPLE),
        *(20, b"tfdt", 1 << 24, start_samples),
        *(20 + 4 * count, b"trun", _TRUN_FLAGS, count, moof_bytes + 8),
        *sizes,
    )
    return event + moof + struct.pack(">I4s", 8 + sum(sizes), b"mdat")


def note_event(note: Note, at_samples: int, identifier: int) -> bytes:
    """An emsg (version 1) that holds until the next one: its duration is unknown."""
    return text_event(msgspec.json.encode(note), at_samples, identifier)


def text_event(text: bytes, at_samples: int, identifier: int) -> bytes:
    """The emsg of a note whose JSON is at hand."""
    fixed = _EMSG_FIXED.pack(SAMPLE_RATE, at_samples, _UNKNOWN_DURATION, identifier & 0xFFFFFFFF)
    return full_box(b"emsg", 1, 0, fixed, ID3_SCHEME + b"\0\0", id3_tag(text))


def id3_tag(text: bytes) -> bytes:
    """An ID3v2.4 tag with one TXXX frame in UTF-8 (id3.org, id3v2.4.0-frames, 4.2.6)."""
    frame = b"\x03" + NOTE_DESCRIPTION + b"\0" + text
    frame = b"TXXX" + _sync_safe(len(frame)) + bytes(2) + frame
    return b"ID3\x04\0\0" + _sync_safe(len(frame)) + frame


def _sync_safe(number: int) -> bytes:
    assert number < 1 << 28
    return bytes((number >> shift) & 0x7F for shift in (21, 14, 7, 0))


def iterate_boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """The boxes side by side in `data[start:end]`: kind, first and past-last byte of the payload.

    Raises BoxError where a box ends outside, or is too short to be one.
    """
    end = len(data) if end is None else end
    while start < end:
        if end - start < 8:
            raise BoxError("a box is cut off")
        size, kind = struct.unpack_from(">I4s", data, start)
        if not 8 <= size <= end - start:
            raise BoxError(f"a box {kind!r} of {size} bytes does not fit where it stands")
        yield kind, start + 8, start + size
        start += size


def parse_chunk(data: bytes) -> Chunk:
    """Reads exactly one chunk back. Raises BoxError for whatever chunk_header() would not have written."""
    found = list(iterate_boxes(data))
    kinds = [kind for kind, _, _ in found]
    if kinds not in ([b"moof", b"mdat"], [b"emsg", b"moof", b"mdat"]):
        raise BoxError(f"a chunk is [emsg] moof mdat, not {kinds[:4]}")
    (_, moof_start, moof_end), (_, mdat_start, mdat_end) = found[-2:]
    count, rest = divmod(moof_end - moof_start + 8 - _MOOF_FIXED_BYTES, 4)
    if count < 0 or rest:
        raise BoxError("a moof of an odd size")
    sizes = struct.unpack_from(f">{count}I", data, moof_end - 4 * count)
    if sum(sizes) != mdat_end - mdat_start:
        raise BoxError("the samples do not fill the mdat")
    sequence, frame_samples, start_samples = _moof_fields(data, moof_start - 8)
    event = data[: moof_start - 8]
    if data[len(event) : mdat_start] != chunk_header(sequence, start_samples, frame_samples, sizes):
        raise BoxError("a moof that this program did not write")
    note = parse_note_event(event)[1] if event else None
    return Chunk(sequence, start_samples, frame_samples, _split(data, mdat_start, sizes), note)


def _moof_fields(data: bytes, moof: int) -> tuple[int, int, int]:
    """Sequence number, frame duration and decode time, at the places chunk_header() puts them."""
    (sequence,) = struct.unpack_from(">I", data, moof + 20)
    (frame_samples,) = struct.unpack_from(">I", data, moof + 48)
    (start_samples,) = struct.unpack_from(">Q", data, moof + 68)
    return sequence, frame_samples, start_samples


def _split(data: bytes, start: int, sizes: Sequence[int]) -> tuple[bytes, ...]:
    frames = []
    for size in sizes:
        frames.append(data[start : start + size])
        start += size
    return tuple(frames)


def frame_sizes(header: bytes, count: int) -> tuple[int, ...]:
    """The sizes of `count` frames, from a chunk's header alone (they are the last thing before the mdat box)."""
    if len(header) < 8 + 4 * count:
        raise BoxError("a chunk's header is cut off")
    return struct.unpack_from(f">{count}I", header, len(header) - 8 - 4 * count)


def frames(chunk: bytes, header_bytes: int, count: int) -> tuple[bytes, ...]:
    """The coded frames of a chunk of which the index tells where they begin and how many they are."""
    return _split(chunk, header_bytes, frame_sizes(chunk[:header_bytes], count))


def leading_note(data: bytes) -> Note | None:
    """The note at the start of a chunk, or of a chunk's header; the rest is not looked at."""
    if data[4:8] != b"emsg":
        return None
    (size,) = struct.unpack_from(">I", data)
    return parse_note_event(data[:size])[1]


def leading_note_text(data: bytes) -> bytes | None:
    """The JSON of the note at the start of a chunk as it stands there, unread: text_event() of it is the emsg."""
    if data[4:8] != b"emsg":
        return None
    (size,) = struct.unpack_from(">I", data)
    return data[_EMSG_TEXT:size]


def parse_note_event(data: bytes) -> tuple[int, Note]:
    """At which sample, and what: from one emsg box. Raises BoxError for anything else."""
    found = list(iterate_boxes(data))
    if [kind for kind, _, _ in found] != [b"emsg"] or len(data) < 12 + _EMSG_FIXED.size:
        raise BoxError("not an emsg box")
    if data[8] != 1:
        raise BoxError("an emsg of another version")
    timescale, at_samples, _, _ = _EMSG_FIXED.unpack_from(data, 12)
    scheme, value, tag = ([*data[12 + _EMSG_FIXED.size :].split(b"\0", 2), b"", b""])[:3]
    if timescale != SAMPLE_RATE or scheme != ID3_SCHEME or value:
        raise BoxError("an emsg of another scheme")
    return at_samples, _parse_note(tag)


def _parse_note(tag: bytes) -> Note:
    text = tag[_ID3_TEXT:]
    if len(tag) > 1 << 20 or tag != id3_tag(text):
        raise BoxError("an ID3 tag that this program did not write")
    try:
        return msgspec.json.decode(text, type=Note)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:  # the latter for the key of an object
        raise BoxError(f"a note that can't be read: {error}") from error


def parse_init_segment(data: bytes) -> CodecConfig:
    """Which codec, and its configuration. Raises BoxError for what init_segment() would not have written."""
    for config in (_opus_config(data), _aac_config(data)):
        if config is not None and init_segment(config) == data:
            return config
    raise BoxError("not an init segment of this program")


def _opus_config(data: bytes) -> CodecConfig | None:
    at = data.find(b"dOps")
    if at < 0 or len(data) < at + 8:
        return None
    return CodecConfig(Codec.OPUS, preskip_samples=int.from_bytes(data[at + 6 : at + 8], "big"))


def _aac_config(data: bytes) -> CodecConfig | None:
    """The configuration lies in descriptor 5 of the esds, which ends the sample entry save for descriptor 6."""
    at = data.find(b"\x05\x80\x80\x80", data.find(b"esds") + 4)
    if b"esds" not in data or at < 0 or len(data) < at + 5 or data[at + 4] >= 0x80:
        return None
    size = data[at + 4]
    config = data[at + 5 : at + 5 + size]
    return CodecConfig(Codec.AAC, audio_specific_config=config) if 0 < len(config) <= 64 else None
