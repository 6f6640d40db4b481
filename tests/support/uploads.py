"""Files that people upload, made here: with what cameras write into them, and broken as people break them."""

import io
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image

SECRET = "SecretCamera"
"""Stands in the tags of each file that is made here."""
LATITUDE = 52.519
A_FILE = (
    "multipart/form-data; boundary=edge",
    b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    + b"\x89PNG\r\n\x1a\n".ljust(100_000, b"\0")
    + b"\r\n--edge--\r\n",
)
"""A form that sends a file: (content type, body). A hundred kilobytes that begin as a picture does: half of the
body ends in the file."""


def colours(width: int, height: int) -> Image.Image:
    """A picture in which every corner has another colour."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = np.linspace(0, 255, width)[None]
    pixels[..., 1] = np.linspace(0, 255, height)[:, None]
    return Image.fromarray(pixels)


def photograph(width: int = 60, height: int = 40, form: str = "JPEG", orientation: int = 1) -> bytes:
    """As a telephone makes them: turned by a tag, with the place where it was taken."""
    tags = Image.Exif()
    tags[0x0112], tags[0x010F] = orientation, SECRET
    place = tags.get_ifd(0x8825)
    place[1], place[2] = "N", (LATITUDE, 0.0, 0.0)
    written = io.BytesIO()
    picture = colours(width, height)
    picture.save(written, form, exif=tags, comment=SECRET.encode()) if form == "JPEG" else picture.save(
        written, form, exif=tags
    )
    return written.getvalue()


def animation(frames: int = 5, form: str = "GIF", width: int = 41, height: int = 31) -> bytes:
    written = io.BytesIO()
    first, *others = [colours(width, height).rotate(number * 20) for number in range(frames)]
    first.save(written, form, save_all=True, append_images=others, duration=100, loop=0)
    return written.getvalue()


def sound(form: str = "wav", codec: str = "pcm_s16le", seconds: float = 1.0) -> bytes:
    """A tone that grows louder."""
    written = io.BytesIO()
    with av.open(written, "w", format=form) as output:
        output.metadata["title"] = SECRET
        wave = _tone(seconds, 48_000)
        _hear(output, _sound_track(output, codec, 48_000), wave * np.linspace(0, 1, len(wave)))
    return written.getvalue()


def _tone(seconds: float, rate: int) -> NDArray[np.float64]:
    return np.sin(2 * np.pi * 440 * np.arange(int(rate * seconds)) / rate)


def _sound_track(output: OutputContainer, codec: str, rate: int) -> AudioStream:
    track = output.add_stream(codec, rate=rate)
    assert isinstance(track, AudioStream)
    track.layout = "mono"
    return track


def _hear(output: OutputContainer, track: AudioStream, wave: NDArray[np.float64], from_s: float = 0.0) -> None:
    """Write samples between -1 and 1, from so many seconds on."""
    rate, size = track.codec_context.sample_rate, track.codec_context.frame_size or 1024
    samples = (wave * 32_000).astype(np.int16)
    resampler = av.AudioResampler(format=track.codec_context.format.name, layout="mono", rate=rate, frame_size=size)
    for begin in range(0, len(samples), size):
        frame = av.AudioFrame.from_ndarray(samples[None, begin : begin + size], format="s16", layout="mono")
        frame.rate, frame.pts, frame.time_base = rate, begin + round(from_s * rate), Fraction(1, rate)
        for one in resampler.resample(frame):
            output.mux(track.encode(one))
    for one in resampler.resample(None):
        output.mux(track.encode(one))
    output.mux(track.encode(None))


def film(codec: str = "libx264", form: str = "mp4", frames: int = 12, width: int = 64, height: int = 48) -> bytes:
    """Without sound."""
    written = io.BytesIO()
    with av.open(written, "w", format=form) as output:
        output.metadata["comment"], output.metadata["location"] = SECRET, f"+{LATITUDE}+013.405/"
        picture = np.asarray(colours(width, height))
        _show(
            output, _film_track(output, codec, width, height), [np.roll(picture, n, axis=1) for n in range(frames)]
        )
    return written.getvalue()


def _film_track(output: OutputContainer, codec: str, width: int, height: int) -> VideoStream:
    track = output.add_stream(codec, rate=24)
    assert isinstance(track, VideoStream)
    track.width, track.height, track.pix_fmt = width, height, "yuv420p"
    return track


def _show(output: OutputContainer, track: VideoStream, pictures: Iterable[NDArray[np.uint8]]) -> None:
    for picture in pictures:
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        output.mux(track.encode(frame.reformat(format="yuv420p")))
    output.mux(track.encode(None))


CLAP_S = 0.75


def clap(
    codec: str = "libx264",
    form: str = "mp4",
    sound_codec: str = "aac",
    rate: int = 44_100,
    heard_from_s: float = 0.0,
) -> bytes:
    """A film of 1.5 s with sound, which may begin later than the picture: dark and silent, from CLAP_S on white and
    loud."""
    written = io.BytesIO()
    with av.open(written, "w", format=form) as output:
        output.metadata["comment"] = SECRET
        track, sound_track = _film_track(output, codec, 64, 48), _sound_track(output, sound_codec, rate)
        dark, white = [np.full((48, 64, 3), level, np.uint8) for level in (0, 255)]
        _show(output, track, [dark] * round(24 * CLAP_S) + [white] * round(24 * CLAP_S))
        wave = _tone(2 * CLAP_S, rate)
        wave[: round(rate * CLAP_S)] = 0
        _hear(output, sound_track, wave[round(rate * heard_from_s) :], heard_from_s)
    return written.getvalue()


def bomb() -> bytes:
    """144 megapixels in a few kilobytes."""
    written = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(written, "PNG")
    return written.getvalue()


DRAWING = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
PLAYLIST = b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"


def endless_film() -> bytes:
    """A film whose clock says that it goes on for hours, in a few frames."""
    written = io.BytesIO()
    with av.open(written, "w", format="matroska") as output:
        track = output.add_stream("mpeg4", rate=24)
        track.width, track.height, track.pix_fmt = 64, 48, "yuv420p"
        track.codec_context.time_base = Fraction(1, 1000)
        for number in range(4):
            frame = av.VideoFrame.from_ndarray(np.asarray(colours(64, 48)), format="rgb24").reformat(
                format="yuv420p"
            )
            frame.pts, frame.time_base = number * 3_000_000, Fraction(1, 1000)
            output.mux(track.encode(frame))
        output.mux(track.encode(None))
    return written.getvalue()


def write(content: bytes, to: Path) -> Path:
    to.write_bytes(content)
    return to
