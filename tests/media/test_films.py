"""Films that telephones made: standing up, and with sound."""

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from tests.support import uploads

from folkmoot.media import films, sniffing


def pixels(frame: av.VideoFrame) -> Any:
    return frame.to_ndarray(format="rgb24")


@pytest.mark.parametrize(("against_the_clock", "quarters"), [(-90, -1), (90, 1), (180, 2), (0, 0)])
def test_frames_are_turned_as_the_file_says(against_the_clock: int, quarters: int) -> None:
    with av.open(io.BytesIO(uploads.film(frames=3)), "r") as container:
        film = container.streams.video[0]
        assert isinstance(film, VideoStream)
        first, *others = list(container.decode(film))
        turned = films._turner(film, cast(Any, SimpleNamespace(rotation=against_the_clock)))
        for frame in (first, *others):
            assert np.array_equal(pixels(turned(frame)), np.rot90(pixels(frame), quarters))
        size = films._shown_size(film, turned(first))
        assert size == ((48, 64) if quarters % 2 else (64, 48))


@pytest.mark.parametrize(
    "made_of",
    [
        uploads.clap,  # copied as it is; what follows is coded
        partial(uploads.clap, "mpeg4", "mov"),
        partial(uploads.clap, "mpeg4", "mov", "pcm_mulaw", 8_000),
        partial(uploads.clap, "libvpx", "webm", "libopus", 48_000),
        partial(uploads.clap, heard_from_s=0.3),
        partial(uploads.clap, "mpeg4", "matroska", "libopus", 48_000, heard_from_s=0.3),
    ],
    ids=["mp4", "mov", "telephone", "webm", "mp4 heard later", "mkv heard later"],
)
def test_its_sound_is_heard_when_it_was(
    made_of: Callable[[], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    content = made_of()
    form = sniffing.sniff(content[: sniffing.HEAD_BYTES])
    assert form is not None
    told: list[float] = []
    processed = films.process(uploads.write(content, tmp_path / "source"), form, told.append)
    assert (processed.kind, processed.has_sound) == ("video", True)
    assert processed.duration_ms == pytest.approx(2_000 * uploads.CLAP_S, abs=100)
    assert max(told) <= 1
    with av.open(films.NAME) as kept:
        film, heard = kept.streams.video[0], kept.streams.audio[0]
        assert (film.codec_context.name, heard.codec_context.name) == ("h264", "aac")
        assert uploads.SECRET not in str(kept.metadata)
        shown = [frame for frame in kept.decode(film) if isinstance(frame, av.VideoFrame)]
        white_s = next(frame.time for frame in shown if pixels(frame).mean() > 128)
        kept.seek(0)
        said = [frame for frame in kept.decode(heard) if isinstance(frame, av.AudioFrame)]
    loud_s = next(
        (frame.time or 0) + first[0] / frame.sample_rate
        for frame in said
        if len(first := np.flatnonzero(np.abs(frame.to_ndarray()[0]) > 0.3))
    )
    film_ends_s = (shown[-1].time or 0) + 1 / 24
    sound_ends_s = (said[-1].time or 0) + said[-1].samples / said[-1].sample_rate
    # Nobody notices less than this (ITU-R BT.1359-1).
    assert white_s == pytest.approx(uploads.CLAP_S, abs=0.045)
    assert loud_s == pytest.approx(white_s, abs=0.045)
    assert sound_ends_s == pytest.approx(film_ends_s, abs=0.06)
