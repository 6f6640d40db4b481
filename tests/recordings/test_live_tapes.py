"""The tapes that one web process follows for all who listen by HLS."""

from pathlib import Path

import pytest
from tests.support.files import no_file_left

from folkmoot.bench.tape import parts_of_step
from folkmoot.recordings.live_tapes import LiveTapes
from folkmoot.recordings.sound import Sound
from folkmoot.tape.model import Codec, Note
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
