"""A worker as it really runs: a process of its own over real tapes."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.audience.house import running_house
from tests.support.waiting import PATIENCE_S, Starved, wait_until

from folkmoot.audience.live import CODECS
from folkmoot.audience.request import LISTEN_CODECS
from folkmoot.audience.responses import CONTENT_TYPES
from folkmoot.tape.model import CODEC_CONFIGS, Codec, Note, Part
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.writer import TapeWriter

pytestmark = pytest.mark.slow

MAIN = """
import sys
import time
from pathlib import Path
from folkmoot.audience.worker import WorkerConfig, run_worker

class NothingRevoked:
    def poll(self):
        return {}
    def fileno(self):
        return None
    def compare(self, subjects):
        pass

run_worker(WorkerConfig(Path(sys.argv[1]), Path(sys.argv[2])), NothingRevoked())
"""
STOPPED_AT_AN_END = """
import signal
from folkmoot.audience.groups import Group

finish = Group.finish

def finish_and_be_stopped(*given):
    broken_off = finish(*given)
    signal.raise_signal(signal.SIGTERM)
    return broken_off

Group.finish = finish_and_be_stopped
"""

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []

    def start(before: str = "") -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-c", before + MAIN, str(tmp_path / "audience-1.sock"), str(tmp_path / "tapes")]
        started.append(subprocess.Popen(command))
        return started[-1]

    yield start
    for worker in started:
        worker.kill()
        worker.wait()


@pytest.fixture
def tape(tmp_path: Path) -> Iterator[TapeWriter]:
    writer = TapeWriter.open(tmp_path / "tapes" / "1", lambda: 1_700_000_000_000)
    yield writer
    writer.close()


def append(tape: TapeWriter) -> None:
    """One step of sound; the frames name where they stand."""
    start = tape.next_samples
    frames = {
        Codec.OPUS: (start, 5),
        Codec.AAC: (-(-start // 1024) * 1024, 4 if start % 1024 else 5),
    }
    parts = [
        Part(codec, at, tuple(b"%s %d;" % (codec.encode(), at + number) for number in range(count)))
        for codec, (at, count) in frames.items()
    ]
    tape.append(parts, Note(speaking=(1,)))


def test_what_the_tape_holds_is_what_is_heard_across_the_death_of_a_worker(
    tmp_path: Path, tape: TapeWriter, start: Start
) -> None:
    for _ in range(3):
        append(tape)
    worker = start()
    with running_house(tmp_path / "audience-1.sock") as house, TapeReader(tmp_path / "tapes" / "1") as reader:
        for codec in ("opus", "aac"):
            wait_until(lambda: len(house.handoff.reports()) == 1)
            heard, first = b"", reader.count(Codec(codec)) - 1
            with house.listen(1, f"?codec={codec}") as client:
                assert client.head()[0] == 200
                assert client.chunk() == reader.init(Codec(codec))
                for _ in range(5):
                    heard += client.chunk()
                    append(tape)
                reader.refresh()
                refs = reader.numbered(Codec(codec), first, 10**6)
                while len(heard) < len(reader.read(refs)):
                    heard += client.chunk()
                assert heard == reader.read(refs)
                assert re.search(rb"%s \d+;" % codec.encode(), heard)
                worker.kill()
                with pytest.raises((AssertionError, ConnectionError)):
                    client.chunk()
            wait_until(lambda: house.handoff.counts() == {} and house.handoff.reports() == [])
            worker = start()


def test_sigterm_ends_a_worker_in_order_and_soon(tmp_path: Path, start: Start) -> None:
    worker = start()
    wait_until((tmp_path / "audience-1.sock").exists)
    worker.send_signal(signal.SIGINT)
    with running_house(tmp_path / "audience-1.sock") as house:
        wait_until(lambda: len(house.handoff.reports()) == 1)
        asked_s, starved = time.monotonic(), Starved()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE_S) == 0
        assert time.monotonic() - asked_s - starved.s() < 1


def test_who_was_just_told_of_an_end_has_it_whole_when_the_worker_is_stopped(tmp_path: Path, start: Start) -> None:
    tape = TapeWriter.open(tmp_path / "tapes" / "1", lambda: 1_700_000_000_000)
    append(tape)
    worker = start(STOPPED_AT_AN_END)
    with running_house(tmp_path / "audience-1.sock") as house:
        wait_until(lambda: len(house.handoff.reports()) == 1)
        clients = [house.listen(1) for _ in range(5)]
        assert [client.head()[0] for client in clients] == [200] * 5
        wait_until(lambda: house.handoff.counts() == {1: 5})
        tape.close()
        assert worker.wait(PATIENCE_S) == 0
        for client in clients:
            assert client.rest().endswith(b"0\r\n\r\n"), "a reset would be an error"
            client.socket.close()


def test_every_codec_of_a_tape_can_be_asked_for() -> None:
    assert set(CONTENT_TYPES) == set(CODECS)
    assert set(LISTEN_CODECS) == set(CODEC_CONFIGS)
    for codec in LISTEN_CODECS:
        assert CONTENT_TYPES[codec] == f'audio/mp4; codecs="{Codec(codec).mime_parameter}"'.encode()
