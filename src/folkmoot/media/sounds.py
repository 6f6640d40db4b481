"""Sounds: decoded to the end for their peaks; what browsers play is copied without its tags, the rest coded as AAC.

Runs in a confined child process only (`child.py`).
"""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from numpy.typing import NDArray

from folkmoot.media import pictures, sniffing
from folkmoot.media.model import AUDIO_S_MAX, WAVEFORM_POINTS, Piece, Processed, Unusable
from folkmoot.media.sniffing import Format

Report = Callable[[float], None]
"""Told how much of it is done, from 0 to 1."""
_PEAKS_RATE = 8_000
_WINDOW_MS = 10
_RATES = (44_100, 48_000)
_BROKEN_PACKETS_MAX = 20


class Peaks:
    """How loud it is: the largest sample of each 10 ms, and from them as many points as are shown."""

    def __init__(self) -> None:
        self._resampler = av.AudioResampler(format="s16", layout="mono", rate=_PEAKS_RATE)
        self._windows: list[NDArray[np.int16]] = []
        self._rest: NDArray[np.int16] = np.zeros(0, np.int16)
        self.samples = 0

    def take(self, frame: av.AudioFrame) -> None:
        for resampled in self._resampler.resample(frame):
            samples = resampled.to_ndarray().reshape(-1).astype(np.int16)
            self.samples += len(samples)
            joined = np.concatenate([self._rest, samples])
            window = _PEAKS_RATE * _WINDOW_MS // 1000
            whole = len(joined) // window * window
            if whole:
                self._windows.append(np.abs(joined[:whole].astype(np.int32)).reshape(-1, window).max(axis=1))
            self._rest = joined[whole:]

    @property
    def duration_ms(self) -> int:
        return self.samples * 1000 // _PEAKS_RATE

    def points(self) -> tuple[tuple[int, ...], int]:
        """Peaks of 0–255, and how many ms apart they are."""
        windows = np.concatenate(self._windows) if self._windows else np.zeros(1, np.int32)
        count = min(WAVEFORM_POINTS, len(windows))
        parts = np.array_split(windows, count)
        points = tuple(min(255, int(part.max()) * 255 // 32_767) for part in parts)
        return points, max(1, self.duration_ms // count)


class Decoding:
    """Decodes packets. A few that are broken are passed over, as players do; the next raises FFmpeg's error."""

    def __init__(self) -> None:
        self._broken = 0

    def __call__(self, packet: "Packet[Any]") -> list[av.AudioFrame | av.VideoFrame]:
        try:
            return list(packet.decode())
        except av.error.InvalidDataError:
            self._broken += 1
            if self._broken > _BROKEN_PACKETS_MAX:
                raise
            return []


class AacTrack:
    """A track of AAC in a file that is written."""

    def __init__(self, output: OutputContainer, source: AudioStream) -> None:
        rate = source.rate if source.rate in _RATES else 48_000
        layout = "mono" if source.channels == 1 else "stereo"
        self._stream = output.add_stream("aac", rate=rate)
        self._stream.layout = layout
        self._stream.bit_rate = 96_000 if layout == "mono" else 160_000
        self._output = output
        self._resampler = av.AudioResampler(format="fltp", layout=layout, rate=rate, frame_size=1024)

    def write(self, frame: av.AudioFrame | None) -> None:
        """A frame, or what is left at the end."""
        for resampled in self._resampler.resample(frame):
            self._output.mux(self._stream.encode(resampled))
        if frame is None:
            self._output.mux(self._stream.encode(None))


def process(source: Path, form: Format, report: Report) -> Processed:
    """Make a sound that browsers play, and its peaks. Raises Unusable, and what FFmpeg raises."""
    with av.open(str(source), format=form.reader, metadata_errors="ignore") as container:
        return of_container(container, form, report)


def of_container(container: InputContainer, form: Format, report: Report) -> Processed:
    """The same of a file that is open."""
    if not container.streams.audio:
        raise Unusable("There is neither sound nor picture in this file")
    stream = container.streams.audio[0]
    seconds = require_length(container, AUDIO_S_MAX)
    cover = _cover(container)
    name, content_type = _written_as(stream, form)
    peaks, decode = Peaks(), Decoding()
    with av.open(name, "w", options=_OPTIONS[name.rpartition(".")[2]]) as output:
        write = _copier(output, stream) if _is_copied(stream, form) else _coder(output, stream)
        for packet in container.demux(stream):
            frames = [one for one in decode(packet) if isinstance(one, av.AudioFrame)]
            for frame in frames:
                peaks.take(frame)
            write(packet, frames)
            if peaks.duration_ms > AUDIO_S_MAX * 1000:
                raise too_long(AUDIO_S_MAX)
            if seconds:
                report(min(1.0, peaks.duration_ms / 1000 / seconds))
        write(None, [])
    if not peaks.samples:
        raise Unusable("There is no sound in this file")
    points, step_ms = peaks.points()
    return Processed(
        kind="audio",
        original=Piece(name, content_type),
        small=cover[0] if cover else None,
        blurhash=cover[1] if cover else None,
        duration_ms=peaks.duration_ms,
        bitrate=Path(name).stat().st_size * 8_000 // max(1, peaks.duration_ms),
        has_sound=True,
        waveform=points,
        waveform_step_ms=step_ms,
    )


def require_length(container: InputContainer, seconds_max: int) -> float:
    """How long the file says that it is, 0 where it doesn't. Raises Unusable."""
    seconds = float(Fraction(container.duration, av.time_base)) if container.duration else 0.0
    if seconds > seconds_max:
        raise too_long(seconds_max)
    return seconds


def too_long(seconds_max: int) -> Unusable:
    length = f"{seconds_max // 3600} hours" if seconds_max >= 7200 else f"{seconds_max // 60} minutes"
    return Unusable(f"Files longer than {length} are not supported")


_OPTIONS: dict[str, dict[str, str]] = {
    "mp3": {"id3v2_version": "0"},
    "m4a": {"movflags": "faststart"},
}
Write = Callable[["Packet[Any] | None", list[av.AudioFrame]], None]


def _is_copied(stream: AudioStream, form: Format) -> bool:
    codec = stream.codec_context.name
    return (form is sniffing.MP3 and codec.startswith("mp3")) or (
        form.reader == "mov" and codec == "aac" and stream.profile in ("LC", None)
    )


def _written_as(stream: AudioStream, form: Format) -> tuple[str, str]:
    if _is_copied(stream, form) and form is sniffing.MP3:
        return "original.mp3", "audio/mpeg"
    return "original.m4a", "audio/mp4"


def _copier(output: OutputContainer, stream: AudioStream) -> Write:
    written = output.add_stream_from_template(stream)
    written.metadata.clear()

    def write(packet: "Packet[Any] | None", _frames: list[av.AudioFrame]) -> None:
        if packet is not None and packet.dts is not None:
            packet.stream = written
            output.mux(packet)

    return write


def _coder(output: OutputContainer, stream: AudioStream) -> Write:
    track = AacTrack(output, stream)

    def write(packet: "Packet[Any] | None", frames: list[av.AudioFrame]) -> None:
        for frame in frames:
            track.write(frame)
        if packet is None:
            track.write(None)

    return write


def decoded(container: InputContainer, streams: Sequence[Stream]) -> Iterator[av.AudioFrame | av.VideoFrame]:
    """The frames of some tracks as they come."""
    decode = Decoding()
    for packet in container.demux(*streams):
        yield from decode(packet)


def _cover(container: InputContainer) -> tuple[Piece, str] | None:
    """The picture in the tags, small; none where it can't be read."""
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            continue
        for packet in container.demux(stream):
            content = bytes(packet)
            form = sniffing.sniff(content[: sniffing.HEAD_BYTES])
            if form is None or form.family != "image":
                break
            Path("cover").write_bytes(content)
            try:
                return pictures.preview(pictures.open_picture(Path("cover"), form))
            except (OSError, SyntaxError, ValueError, Unusable):
                break
            finally:
                container.seek(0)
    return None
