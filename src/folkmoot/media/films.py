"""Films: copied where every browser plays them as they are, else coded as H.264 and AAC; without tags and other
tracks.

Runs in a confined child process only (`child.py`).
"""

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import msgspec
import numpy as np
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer, OutputContainer
from av.stream import Disposition
from av.video.frame import PictureType
from av.video.stream import VideoStream
from PIL import Image

from folkmoot.media import pictures, sounds
from folkmoot.media.model import (
    VIDEO_FRAMES_PER_S_MAX,
    VIDEO_PIXELS_MAX,
    VIDEO_S_MAX,
    VIDEO_SHOWN_FRAMES_PER_S_MAX,
    VIDEO_SHOWN_PIXELS_MAX,
    Piece,
    Processed,
    Unusable,
)
from folkmoot.media.sniffing import Format
from folkmoot.media.sounds import AacTrack, Report, require_length, too_long

NAME = "original.mp4"
_COPIED_BITRATE_MAX = 8_000_000
_COPIED_PROFILES = frozenset({"Constrained Baseline", "Baseline", "Main", "High"})
_CODING = {
    "preset": "veryfast",
    "crf": "23",
    "maxrate": "5000000",
    "bufsize": "10000000",
    "profile": "high",
}
_TIME_BASE = Fraction(1, 90_000)
# A little less than the time between two frames, which files round.
_FRAME_PTS_MIN = 90_000 // (VIDEO_SHOWN_FRAMES_PER_S_MAX + 3)
_UPSIDE_DOWN = (("hflip", None), ("vflip", None))
# By how many degrees against the clock a frame is to be turned, and by which filters.
_TURNS: dict[int, tuple[tuple[str, str | None], ...]] = {
    -90: (("transpose", "clock"),),
    90: (("transpose", "cclock"),),
    180: _UPSIDE_DOWN,
    -180: _UPSIDE_DOWN,
}
# H.264's supplemental information holds whatever a camera puts there, and nothing that a player needs.
_WITHOUT_NOTES = "filter_units=remove_types=6"


def process(source: Path, form: Format, report: Report) -> Processed:
    """Make a film that browsers play, and its first picture. Raises Unusable, and what FFmpeg raises."""
    with av.open(str(source), format=form.reader, metadata_errors="ignore") as container:
        film = next((one for one in container.streams.video if _moves(one)), None)
        if film is None:
            return sounds.of_container(container, form, report)
        _require_bounded(film)
        seconds = require_length(container, VIDEO_S_MAX)
        first = _first_frame(container, film)
        if _is_copied(container, film, first):
            _copy(container, film, report, seconds)
        else:
            _code(container, film, first, report, seconds)
        small = pictures.preview(_picture(_turner(film, first)(first)))
    return _described(*small)


def of_animation(image: Image.Image, report: Report) -> Processed:
    """A film without sound from a picture that moves, which clients play as they would show that."""
    count = getattr(image, "n_frames", 1)
    with av.open(NAME, "w", options={"movflags": "faststart"}) as output:
        at_ms, track, small = 0, None, None
        for number, (frame, shown_ms) in enumerate(pictures.frames(image)):
            bounded = pictures.within(pictures.on_white(frame), VIDEO_SHOWN_PIXELS_MAX)
            if track is None:
                small = pictures.preview(bounded)
                track = _H264Track(output, *_even(bounded.width, bounded.height))
            track.write(_frame(bounded), Fraction(at_ms, 1000))
            at_ms += shown_ms
            report((number + 1) / count)
        assert track is not None
        assert small is not None
        # The last frame is seen as long as it should be: once more, at its end.
        track.write(_frame(bounded), Fraction(max(0, at_ms - 10), 1000))
        track.write(None, None)
    return msgspec.structs.replace(_described(*small), kind="gifv")


class _H264Track:
    """A track of H.264 in a file that is written."""

    def __init__(self, output: OutputContainer, width: int, height: int) -> None:
        self._output = output
        self._stream = output.add_stream("libx264", options=_CODING)
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
        self._stream.codec_context.time_base = _TIME_BASE
        self._stream.codec_context.thread_count = 1
        self._last_pts = -_TIME_BASE.denominator

    def write(self, frame: av.VideoFrame | None, at_s: Fraction | None) -> None:
        """A picture at a time from the beginning, or what is left at the end."""
        if frame is None or at_s is None:
            self._output.mux(self._stream.encode(None))
            return
        pts = round(at_s / _TIME_BASE)
        if pts - self._last_pts < _FRAME_PTS_MIN:
            return
        shown = frame.reformat(width=self._stream.width, height=self._stream.height, format="yuv420p")
        shown.pts, shown.time_base, shown.pict_type = pts, _TIME_BASE, PictureType.NONE
        self._last_pts = pts
        self._output.mux(self._stream.encode(shown))


def _frame(image: Image.Image) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.asarray(image), format="rgb24")


def _picture(frame: av.VideoFrame) -> Image.Image:
    return Image.fromarray(frame.to_ndarray(format="rgb24"))


def _moves(stream: VideoStream) -> bool:
    return not stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails)


def _require_bounded(film: VideoStream) -> None:
    width, height = film.codec_context.width, film.codec_context.height
    if not 0 < width * height <= VIDEO_PIXELS_MAX:
        raise Unusable(f"{width}x{height} videos are not supported")
    if film.average_rate is not None and film.average_rate > VIDEO_FRAMES_PER_S_MAX:
        raise Unusable(f"{math.floor(film.average_rate)}fps videos are not supported")


def _first_frame(container: InputContainer, film: VideoStream) -> av.VideoFrame:
    for frame in container.decode(film):
        container.seek(0)
        return frame
    raise Unusable("There is no picture in this file")


def _is_copied(container: InputContainer, film: VideoStream, first: av.VideoFrame) -> bool:
    """Whether every browser plays it as it is, at a size and a rate that suits them."""
    codec = film.codec_context
    rate = film.average_rate
    return (
        codec.name == "h264"
        and codec.pix_fmt == "yuv420p"
        and film.profile in _COPIED_PROFILES
        and codec.width * codec.height <= VIDEO_SHOWN_PIXELS_MAX
        and rate is not None
        and rate <= VIDEO_SHOWN_FRAMES_PER_S_MAX
        and (codec.sample_aspect_ratio or 1) == 1
        and not first.rotation
        and container.format.name.startswith("mov")
        and 0 < (container.bit_rate or 0) <= _COPIED_BITRATE_MAX
        and all(one.codec_context.name == "aac" for one in container.streams.audio[:1])
    )


def _copy(container: InputContainer, film: VideoStream, report: Report, seconds: float) -> None:
    begins_s = Fraction(container.start_time or 0, av.time_base)
    with av.open(NAME, "w", options={"movflags": "faststart"}) as output:
        taken = [film, *container.streams.audio[:1]]
        written: dict[int, Any] = {one.index: output.add_stream_from_template(one) for one in taken}
        for stream in written.values():
            stream.metadata.clear()
        without_notes = BitStreamFilterContext(_WITHOUT_NOTES, in_stream=film)
        for packet in container.demux(taken):
            if packet.dts is None:
                continue
            index = packet.stream.index
            at_s = (packet.pts or 0) * packet.time_base - begins_s
            if at_s > VIDEO_S_MAX:
                raise too_long(VIDEO_S_MAX)
            for one in without_notes.filter(packet) if index == film.index else [packet]:
                one.stream = written[index]
                output.mux(one)
            report(min(1.0, float(at_s) / seconds) if seconds else 0.0)


def _code(
    container: InputContainer, film: VideoStream, first: av.VideoFrame, report: Report, seconds: float
) -> None:
    begins_s = Fraction(container.start_time or 0, av.time_base)
    heard = container.streams.audio[0] if container.streams.audio else None
    turned = _turner(film, first)
    with av.open(NAME, "w", options={"movflags": "faststart"}) as output:
        track = _H264Track(output, *_shown_size(film, turned(first)))
        sound = AacTrack(output, heard) if heard is not None else None
        for frame in sounds.decoded(container, [film] if heard is None else [film, heard]):
            at_s = (frame.pts or 0) * Fraction(frame.time_base or 0) - begins_s
            if at_s > VIDEO_S_MAX:
                raise too_long(VIDEO_S_MAX)
            if isinstance(frame, av.VideoFrame):
                track.write(turned(frame), max(Fraction(0), at_s))
                report(min(1.0, float(at_s) / seconds) if seconds else 0.0)
            elif sound is not None:
                frame.pts = max(0, round(at_s / Fraction(frame.time_base or 1)))
                sound.write(frame)
        track.write(None, None)
        if sound is not None:
            sound.write(None)


def _turner(film: VideoStream, first: av.VideoFrame) -> Callable[[av.VideoFrame], av.VideoFrame]:
    """Turns frames upright, as the file says that they are to be shown."""
    steps = _TURNS.get(round(first.rotation / 90) * 90, ())
    if not steps:
        return lambda frame: frame
    graph = av.filter.Graph()
    filters = [graph.add(name, arguments) for name, arguments in steps]
    graph.link_nodes(graph.add_buffer(template=film), *filters, graph.add("buffersink")).configure()

    def turn(frame: av.VideoFrame) -> av.VideoFrame:
        graph.vpush(frame)
        return graph.vpull()

    return turn


def _shown_size(film: VideoStream, upright: av.VideoFrame) -> tuple[int, int]:
    """Pixels are square in what is written, and no more than are shown."""
    aspect = film.codec_context.sample_aspect_ratio or Fraction(1)
    if film.codec_context.width != upright.width:
        aspect = 1 / aspect
    width, height = float(upright.width * aspect), float(upright.height)
    scale = min(1.0, math.sqrt(VIDEO_SHOWN_PIXELS_MAX / (width * height)))
    return _even(math.floor(width * scale), math.floor(height * scale))


def _even(width: int, height: int) -> tuple[int, int]:
    """H.264 has colours for every other pixel."""
    return max(2, width // 2 * 2), max(2, height // 2 * 2)


def _described(small: Piece, hash_: str) -> Processed:
    """What was written, read again: what a player will find."""
    with av.open(NAME, format="mov") as made:
        film = made.streams.video[0]
        duration_ms = (made.duration or 0) * 1000 // av.time_base
        rate = film.average_rate or Fraction(0)
        size = film.codec_context.width, film.codec_context.height
        has_sound = bool(made.streams.audio)
    return Processed(
        kind="video",
        original=Piece(NAME, "video/mp4", *size),
        small=small,
        blurhash=hash_,
        duration_ms=duration_ms,
        bitrate=Path(NAME).stat().st_size * 8_000 // max(1, duration_ms),
        frame_rate=f"{rate.numerator}/{rate.denominator}",
        has_sound=has_sound,
    )
