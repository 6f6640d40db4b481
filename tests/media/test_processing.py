"""Files in the process that reads them: what players play is made of what is good, and a sentence of the rest."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import av
import psutil
import pytest
import structlog
from tests.support import uploads
from tests.support.waiting import eventually

from folkmoot.media.model import Processed, Purpose, Unusable
from folkmoot.media.processing import SOURCE, Workshop, warn_where_unconfined
from folkmoot.media.processing import granted as granted_here

Make = Callable[[], bytes]
Process = Callable[[bytes], Awaitable[tuple[Processed, dict[str, bytes]]]]


@pytest.fixture
def process(tmp_path: Path) -> Process:
    """What was made of a file, and the bytes of it."""
    workshop = Workshop(tmp_path / "work", 1)

    async def work(content: bytes) -> tuple[Processed, dict[str, bytes]]:
        async with workshop.bench() as bench:
            (bench / SOURCE).write_bytes(content)
            processed = await workshop.process(bench, Purpose.ATTACHMENT, 60)
            pieces = [one for one in (processed.original, processed.small) if one is not None]
            made = {one.name: (bench / one.name).read_bytes() for one in pieces}
        assert not list((tmp_path / "work").iterdir())
        for written in made.values():
            assert uploads.SECRET.encode() not in written
            assert str(uploads.LATITUDE).encode() not in written
        return processed, made

    return work


async def test_a_picture(process: Process) -> None:
    with structlog.testing.capture_logs() as logged:
        processed, made = await process(uploads.photograph())
    assert (processed.kind, sorted(made)) == ("image", ["original.jpeg", "small.jpeg"])
    (confined,) = [line["by"] for line in logged if line["event"] == "media.confined"]
    assert "seccomp" in confined


@pytest.mark.parametrize(
    "content",
    [uploads.DRAWING, uploads.PLAYLIST, b"", uploads.photograph()[:-100], b"\x89PNG\r\n\x1a\n" + b"x" * 100],
    ids=["drawing with a script", "playlist", "nothing", "cut off", "not what it seems"],
)
async def test_what_is_no_picture_is_a_sentence(process: Process, content: bytes) -> None:
    with pytest.raises(Unusable):
        await process(content)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("made_of", "name"),
    [
        (partial(uploads.sound, "wav", "pcm_s16le"), "original.m4a"),
        (partial(uploads.sound, "flac", "flac"), "original.m4a"),
        (partial(uploads.sound, "ogg", "libopus"), "original.m4a"),
        (partial(uploads.sound, "mp3", "libmp3lame"), "original.mp3"),
        (partial(uploads.sound, "ipod", "aac"), "original.m4a"),
    ],
    ids=["wav", "flac", "ogg", "mp3", "m4a"],
)
async def test_a_sound_is_one_that_browsers_play(process: Process, made_of: Make, name: str) -> None:
    processed, made = await process(made_of())
    assert (processed.kind, list(made)) == ("audio", [name])
    assert processed.duration_ms == pytest.approx(1000, abs=60)
    assert len(processed.waveform) > 50
    # It grows louder.
    assert processed.waveform[-10] > processed.waveform[10] + 50
    with av.open(io.BytesIO(made[name])) as kept:
        assert kept.streams.audio[0].codec_context.name in ("aac", "mp3float", "mp3")
        assert uploads.SECRET not in str(kept.metadata)


@pytest.mark.slow
@pytest.mark.parametrize(
    "made_of",
    [uploads.film, partial(uploads.film, "mpeg4", "matroska"), partial(uploads.film, form="mov", width=66)],
    ids=["mp4", "mkv", "mov"],
)
async def test_a_film_is_one_that_browsers_play(process: Process, made_of: Make) -> None:
    processed, made = await process(made_of())
    assert (processed.kind, processed.original.content_type) == ("video", "video/mp4")
    assert processed.duration_ms == pytest.approx(500, abs=60)
    with av.open(io.BytesIO(made["original.mp4"]), "r") as kept:
        track = kept.streams.video[0]
        assert (track.codec_context.name, track.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert len(list(kept.decode(track))) == 12
    # What a player needs first comes first.
    assert made["original.mp4"].index(b"moov") < made["original.mp4"].index(b"mdat")


@pytest.mark.slow
async def test_a_picture_that_moves_becomes_a_film(process: Process) -> None:
    processed, made = await process(uploads.animation(5))
    assert (processed.kind, processed.original.content_type) == ("gifv", "video/mp4")
    assert processed.duration_ms == pytest.approx(500, abs=60)
    with av.open(io.BytesIO(made["original.mp4"])) as kept:
        assert not kept.streams.audio
        assert kept.streams.video[0].codec_context.width % 2 == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("made_of", "why"),
    [
        (uploads.bomb, "12000x12000 images are not supported"),
        (uploads.endless_film, "longer than 10 minutes"),
        (lambda: uploads.film()[:600], "can't be read"),
    ],
    ids=["bomb", "endless", "cut off"],
)
async def test_what_would_cost_much_costs_little(process: Process, made_of: Make, why: str) -> None:
    with pytest.raises(Unusable, match=why):
        await process(made_of())


@pytest.mark.slow
async def test_what_follows_a_picture_is_gone(process: Process) -> None:
    _, made = await process(uploads.photograph() + b"<script>alert(1)</script>PK\x03\x04")
    assert all(b"<script>" not in one for one in made.values())


async def test_there_is_an_end_to_patience(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path, 1)
    async with workshop.bench() as bench:
        (bench / SOURCE).write_bytes(uploads.photograph())
        with pytest.raises(Unusable, match="longer to read"):
            await workshop.process(bench, Purpose.ATTACHMENT, 0.0)


def test_what_a_killed_process_left_is_swept_up(tmp_path: Path) -> None:
    workshop = Workshop(tmp_path, 1)
    left = tmp_path / "left"
    left.mkdir()
    workshop.sweep(left.stat().st_mtime + 3600)
    assert left.exists()
    workshop.sweep(left.stat().st_mtime + 7 * 3600)
    assert not left.exists()


@pytest.mark.parametrize(("granted", "warnings"), [([], 1), (["namespaces"], 1), (["seccomp"], 0)])
async def test_an_operator_is_warned_where_nothing_confines(granted: list[str], warnings: int) -> None:
    async def ask() -> list[str]:
        return granted

    with structlog.testing.capture_logs() as logged:
        await warn_where_unconfined(ask)
    assert [line["event"] for line in logged] == ["media.not_confined"] * warnings


async def test_what_this_kernel_grants_is_what_a_child_gets(process: Process) -> None:
    with structlog.testing.capture_logs() as logged:
        await process(uploads.photograph())
    (confined,) = [line["by"] for line in logged if line["event"] == "media.confined"]
    assert await granted_here() == list(confined)


async def test_who_stops_asking_leaves_no_process_behind() -> None:
    before = psutil.Process().children()
    asking = asyncio.create_task(granted_here())
    await eventually(lambda: psutil.Process().children() != before)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert psutil.Process().children() == before


async def test_what_a_decoder_says_is_in_no_log_that_is_kept(process: Process) -> None:
    with structlog.testing.capture_logs() as logged, pytest.raises(Unusable):
        await process(uploads.photograph()[:-100])
    (refused,) = [line for line in logged if line["event"] == "media.refused"]
    assert sorted(refused) == ["event", "log_level", "purpose", "why"]
    assert [line["log_level"] for line in logged if line["event"] == "media.decoder_said"] == ["debug"]
