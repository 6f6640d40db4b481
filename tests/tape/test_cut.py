from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from folkmoot.tape import boxes
from folkmoot.tape.cut import CUT_MS_MAX, Cut, cut_clip, download
from folkmoot.tape.model import Codec, Note, Part, RangeError, TapeDamaged
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.writer import TapeWriter

Pcm = NDArray[np.int16]


@pytest.mark.parametrize(("start_ms", "end_ms"), [(0, 30_000), (1_234, 31_234), (5_001, 6_001), (35_000, 36_000)])
def test_a_clip_is_what_was_said_then(
    start_ms: int,
    end_ms: int,
    reader: TapeReader,
    sound: Pcm,
    tmp_path: Path,
    decoded: Callable[[Path], Pcm],
    lateness_ms: Callable[[Pcm, Pcm], float],
) -> None:
    path = tmp_path / "clip.m4a"
    path.write_bytes(cut_clip(reader, start_ms, end_ms))
    heard = decoded(path)
    assert abs(len(heard) / 48 - (end_ms - start_ms)) <= 25
    if end_ms - start_ms > 2_000:
        assert abs(lateness_ms(heard, sound[start_ms * 48 :])) <= 1
    with av.open(str(path)) as container:
        assert container.duration == (end_ms - start_ms) * 1_000
        assert container.streams.audio[0].codec_context.name == "aac"


def test_a_clip_starts_on_the_exact_sample(reader: TapeReader, sound: Pcm, tmp_path: Path) -> None:
    """Between frames too: the edit list hides the frame that only prepares the decoder."""
    for start_ms in range(7_000, 7_022, 3):
        path = tmp_path / f"{start_ms}.m4a"
        path.write_bytes(cut_clip(reader, start_ms, start_ms + 1_000))
        with av.open(str(path)) as container:
            heard = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
        said = sound[start_ms * 48 :][: len(heard)].astype(float)
        assert np.corrcoef(heard[:2_000], said[:2_000])[0, 1] > 0.9


def test_a_clip_is_progressive(reader: TapeReader) -> None:
    clip = cut_clip(reader, 2_000, 3_000)
    found = list(boxes.iterate_boxes(clip))
    assert [kind for kind, _, _ in found] == [b"ftyp", b"moov", b"mdat"]
    sizes = [size for ref in reader.parts(Codec.AAC, 0, 36_000) for size in (ref.length,)]
    assert found[2][2] - found[2][1] < sum(sizes)


@pytest.mark.parametrize(
    ("start_ms", "end_ms"), [(5, 5), (10, 5), (-1, 1_000), (35_000, 36_001), (99_000, 100_000), (-(10**18), 10**18)]
)
def test_ranges_that_are_not_there_are_refused(start_ms: int, end_ms: int, reader: TapeReader) -> None:
    with pytest.raises(RangeError, match=r"\.$"):
        cut_clip(reader, start_ms, end_ms)


def test_a_tape_without_sound_has_no_clips(tmp_path: Path) -> None:
    TapeWriter.open(tmp_path, lambda: 0).close()
    with TapeReader(tmp_path) as reader, pytest.raises(RangeError):
        download(reader)


def test_more_than_a_day_is_refused(reader: TapeReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TapeReader, "end_ms", CUT_MS_MAX + 1)
    with pytest.raises(RangeError, match="24 hours"):
        Cut(reader, 0, CUT_MS_MAX + 1)


def test_a_download_comes_in_pieces_of_known_length(
    reader: TapeReader, sound: Pcm, tmp_path: Path, decoded: Callable[[Path], Pcm]
) -> None:
    replay = download(reader, 3_000)
    pieces = list(replay)
    assert sum(map(len, pieces)) == replay.length_bytes
    assert max(map(len, pieces)) < replay.length_bytes / 10
    assert list(replay) == pieces
    path = tmp_path / "replay.m4a"
    path.write_bytes(b"".join(pieces))
    assert abs(len(decoded(path)) - len(sound[3_000 * 48 :])) <= 1_200


def test_a_live_tape_can_be_cut(
    tmp_path: Path, step_parts: Callable[..., tuple[Part, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = TapeWriter.open(tmp_path, lambda: 0)
    for step in range(20):
        writer.append(step_parts(step), Note())
    with TapeReader(tmp_path) as reader:
        clip = cut_clip(reader, 0, reader.end_ms)
        frames = [frame for step in range(20) for frame in step_parts(step)[1].frames]
        assert clip.endswith(b"".join(frames))
        writer.append(step_parts(20), Note())
        assert cut_clip(reader, 0, reader.end_ms) == clip
    writer.release()


def test_damaged_parts_are_noticed(tmp_path: Path, step_parts: Callable[..., tuple[Part, ...]]) -> None:
    writer = TapeWriter.open(tmp_path, lambda: 0)
    for step in range(20):
        writer.append(step_parts(step), Note())
    writer.close()
    with TapeReader(tmp_path) as reader:
        ref = reader.parts(Codec.AAC, 500, 600)[0]
        with (tmp_path / "aac.mp4").open("r+b") as file:
            file.seek(ref.offset + ref.header_bytes - 12)
            file.write(b"\xff\xff")
        with pytest.raises(TapeDamaged):
            cut_clip(reader, 0, 1_000)
