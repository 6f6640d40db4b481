"""The tapes that one web process follows for all who listen by HLS."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.support.files import no_file_left

from folkmoot.bench.tape import parts_of_step
from folkmoot.recordings.live_tapes import LiveTapes
from folkmoot.recordings.sound import Sound
from folkmoot.tape.model import Codec, Note, TapeMissing
from folkmoot.tape.writer import TapeWriter


async def test_a_tape_that_could_not_be_opened_is_opened_for_who_asks_next(tmp_path: Path) -> None:
    """Players ask ten times a second: what is kept while anybody asks would be kept for ever."""
    writer = TapeWriter.open(tmp_path, lambda: 1_700_000_000_000)
    for step in range(10):
        writer.append(parts_of_step(step), Note())
    sound, tapes = Sound(tmp_path, is_live=True, is_public=True), LiveTapes()
    with no_file_left(), pytest.raises(OSError, match="Too many open files"):
        await tapes.open(sound)
    tape = await tapes.open(sound)
    assert tape.reader.count(Codec.OPUS) == 10
    assert await tapes.open(sound) is tape
    tapes.close()
    writer.close()


async def test_however_often_one_asks_for_what_cant_be_opened_one_timer_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timers: list[partial[None]] = []

    def call_later(_delay_s: float, work: Any, *arguments: Any) -> None:
        timers.append(partial(work, *arguments))

    sound, tapes = Sound(tmp_path, is_live=True, is_public=True), LiveTapes()
    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", call_later)
    for count in (1, 2):
        for _ in range(3):
            with pytest.raises(TapeMissing):
                await tapes.open(sound)
        assert len(timers) == count
        timers[-1]()
        assert not tapes._used_s
