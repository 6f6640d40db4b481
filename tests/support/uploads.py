"""Files that people upload, made here: with what cameras write into them, and broken as people break them."""

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from PIL import Image

SECRET = "SecretCamera"
"""Stands in the tags of each file that is made here."""
LATITUDE = 52.519


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
    rate = 48_000
    with av.open(written, "w", format=form) as output:
        output.metadata["title"] = SECRET
        track = output.add_stream(codec, rate=rate)
        assert isinstance(track, AudioStream)
        track.layout = "mono"
        at = np.arange(int(rate * seconds)) / rate
        wave = (np.sin(2 * np.pi * 440 * at) * np.linspace(0, 32_000, len(at))).astype(np.int16)
        size = track.codec_context.frame_size or 1024
        resampler = av.AudioResampler(
            format=track.codec_context.format.name, layout="mono", rate=rate, frame_size=size
        )
        for begin in range(0, len(wave), size):
            frame = av.AudioFrame.from_ndarray(wave[None, begin : begin + size], format="s16", layout="mono")
            frame.rate, frame.pts, frame.time_base = rate, begin, Fraction(1, rate)
            for one in resampler.resample(frame):
                output.mux(track.encode(one))
        for one in resampler.resample(None):
            output.mux(track.encode(one))
        output.mux(track.encode(None))
    return written.getvalue()


def film(codec: str = "libx264", form: str = "mp4", frames: int = 12, width: int = 64, height: int = 48) -> bytes:
    """Without sound."""
    written = io.BytesIO()
    with av.open(written, "w", format=form) as output:
        output.metadata["comment"], output.metadata["location"] = SECRET, f"+{LATITUDE}+013.405/"
        track = output.add_stream(codec, rate=24)
        assert isinstance(track, VideoStream)
        track.width, track.height, track.pix_fmt = width, height, "yuv420p"
        picture = np.asarray(colours(width, height))
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(np.roll(picture, number, axis=1), format="rgb24")
            output.mux(track.encode(frame.reformat(format="yuv420p")))
        output.mux(track.encode(None))
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
