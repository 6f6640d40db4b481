"""Long evenings: what a tape costs doesn't grow with its length, and every place of it is found."""

from __future__ import annotations

import random
import tracemalloc
from pathlib import Path

import pytest

from folkmoot.bench.tape import killed_and_recovered, parts_of_step, write
from folkmoot.tape import cut
from folkmoot.tape.model import STEP_SAMPLES, Codec, Note
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.writer import TapeWriter

HOURS = 12
STEPS_PER_HOUR = 36_000
GROWTH_BYTES_MAX = 64 * 1024


def test_a_writer_and_a_reader_need_no_more_after_ten_minutes_than_after_two(tmp_path: Path) -> None:
    tracemalloc.start()
    try:
        writer = TapeWriter.open(tmp_path, lambda: 0)
        reader: TapeReader | None = None
        after: list[int] = []
        for step in range(6_000):
            writer.append(parts_of_step(step), Note(speaking=(1 + step // 20 % 2,)))
            reader = reader or TapeReader(tmp_path)
            reader.refresh()
            if step in (1_200, 5_999):
                assert len(reader.read(reader.parts(Codec.AAC, step * 50, step * 50 + 100))) > 0
                after.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert after[1] - after[0] < GROWTH_BYTES_MAX
    assert reader is not None
    reader.close()
    writer.release()


@pytest.mark.parametrize("hours", [1, pytest.param(HOURS, marks=pytest.mark.slow)])
def test_every_place_of_a_long_evening_is_found(tmp_path: Path, hours: int) -> None:
    written = write(tmp_path, hours)
    assert written.last_hour_mb - written.first_hour_mb < 8
    killed_and_recovered(tmp_path, hours)
    places = random.Random(hours)
    with TapeReader(tmp_path) as reader:
        assert reader.end_ms >= hours * 3_600_000
        assert len(reader.segments(Codec.OPUS)) >= hours * 900
        for step in (
            0,
            hours * STEPS_PER_HOUR - 1,
            *(places.randrange(hours * STEPS_PER_HOUR) for _ in range(200)),
        ):
            (ref,) = reader.parts(Codec.OPUS, step * 100, step * 100 + 100)
            assert (ref.number, ref.start_samples, ref.peak) == (step, step * STEP_SAMPLES, step % 256)
            frames = b"".join(parts_of_step(step)[0].frames)
            assert reader.read([ref])[ref.header_bytes :] == frames
            assert reader.notes(step * 100, step * 100 + 1)[0][1].speaking == (1 + step // 20 % 2,)
        gaps = [ref for ref in reader.parts(Codec.OPUS, hours * 3_600_000, reader.end_ms) if ref.gap]
        assert sum(ref.end_ms - ref.start_ms for ref in gaps) == 3_000  # the three seconds without a writer
        assert len(cut.cut_clip(reader, reader.end_ms - 40_000, reader.end_ms - 10_000)) > 200_000
