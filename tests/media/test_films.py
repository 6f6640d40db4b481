"""Films that telephones made standing up."""

import io
from types import SimpleNamespace
from typing import Any, cast

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from tests.support import uploads

from folkmoot.media import films


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
