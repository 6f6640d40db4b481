"""The playlist of a replay is made once, and again when something of the tape was changed."""

import os
import time
from pathlib import Path

import pytest

from folkmoot.bench.tape import parts_of_step
from folkmoot.recordings.sound import Sound, replay_playlist
from folkmoot.tape.model import Codec, Note, TapeMissing
from folkmoot.tape.redact import redact
from folkmoot.tape.redactions import Redaction
from folkmoot.tape.writer import TapeWriter


@pytest.fixture
def replay(tmp_path: Path) -> Sound:
    writer = TapeWriter.open(tmp_path, lambda: 1_700_000_000_000)
    for step in range(130):
        writer.append(parts_of_step(step), Note())
    writer.close()
    return Sound(tmp_path, is_live=False, is_public=True, to_ms=13_000)


def grown_old(replay: Sound) -> None:
    index = replay.directory / "aac.index"
    os.utime(index, ns=(0, time.time_ns() - 60_000_000_000))


def test_it_is_made_once(replay: Sound) -> None:
    grown_old(replay)
    assert replay_playlist(replay, Codec.AAC) is replay_playlist(replay, Codec.AAC)
    assert replay_playlist(replay, Codec.AAC) != replay_playlist(replay, Codec.OPUS)


def test_what_was_taken_out_has_another_address_at_once(replay: Sound) -> None:
    grown_old(replay)
    before = replay_playlist(replay, Codec.AAC)
    redact(replay.directory, Redaction("1", 5_000, 6_000, "other", "host", 1))
    now = replay_playlist(replay, Codec.AAC)
    assert now != before
    redact(replay.directory, Redaction("2", 9_000, 9_500, "other", "host", 2))
    assert replay_playlist(replay, Codec.AAC) not in (before, now)


def test_a_tape_that_is_gone_is_said(tmp_path: Path) -> None:
    with pytest.raises(TapeMissing):
        replay_playlist(Sound(tmp_path, is_live=False, is_public=True), Codec.AAC)
