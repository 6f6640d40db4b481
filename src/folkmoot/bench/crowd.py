"""A crowd in a Space of a whole server: the compiled listeners of `bench audience`, who check every byte.

They want to know when each part was published, which only synthetic tapes say: here a process notes when it sees a
tape grow, `python -m folkmoot.bench.crowd FOLDER SPACE`.
"""

import mmap
import os
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from folkmoot.audience import windows
from folkmoot.bench.audience_load import JOINS_PER_S, AudienceFailed, Listeners, LoadWanted, compiled, listening
from folkmoot.bench.audience_tapes import PARTS_MAX
from folkmoot.bench.server import Server
from folkmoot.settings import workers_for
from folkmoot.tape.index import record_count
from folkmoot.tape.model import Codec

SPACES = "/api/folkmoot/v1/spaces"
_LOOK_EVERY_S = 0.002
_SOUND_WITHIN_S = 30.0
_STAMP = struct.Struct("<Q")


def _workers(listeners: int) -> int:
    return workers_for(listeners, 1, len(os.sched_getaffinity(0)))


def settings_for(listeners: int) -> dict[str, str]:
    """Of a server that has room for them, and sends nobody to HLS because this machine is busy with its load."""
    return {"audience_workers": str(_workers(listeners)), "listeners_max": str(2 * listeners + 10_000)}


def open_space(server: Server) -> int:
    """A live Space in which nobody speaks, once there is something to hear. Raises AudienceFailed."""
    server.admin("create", "benchhost", "--password", "-a-long-password-")
    token = server.admin("token", "benchhost").split()[-1]
    space_id = server.call("POST", SPACES, token, {"title": "Bench", "start": True})["id"]
    wait_for_sound(server, f"{SPACES}/{space_id}")
    return int(space_id)


def wait_for_sound(server: Server, space: str) -> None:
    """The playlist comes with the first segment. Raises AudienceFailed."""
    give_up_s = time.monotonic() + _SOUND_WITHIN_S
    while server.first_answer(f"{space}/hls/aac/live.m3u8") != 200:
        if time.monotonic() > give_up_s:
            raise AudienceFailed(f"There was nothing to hear within {_SOUND_WITHIN_S:g} s.")
        time.sleep(0.2)


@contextmanager
def crowd(
    server: Server, space_id: int, listeners: int, folder: Path, first_address: int = 0
) -> Iterator[Listeners]:
    """Listeners to a live Space with sound, each of whom hears something. Raises AudienceFailed."""
    program = compiled("listeners", folder)
    tapes = server.data / "tapes"
    wanted = LoadWanted(
        port=server.port,
        tapes=tapes,
        listeners=listeners,
        write_ms=windows.window_ms(listeners // _workers(listeners)),
        first_space=space_id,
        first_address=first_address,
    )
    with _stamped(tapes, space_id), listening(program, wanted) as made:
        made.wait_until_joined(30.0 + 2 * listeners / JOINS_PER_S)
        yield made


@contextmanager
def _stamped(tapes: Path, space_id: int) -> Iterator[None]:
    command = [sys.executable, "-m", "folkmoot.bench.crowd", str(tapes), str(space_id)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as stamping:
        try:
            assert stamping.stdout is not None
            if stamping.stdout.readline() != b"ready\n":
                raise AudienceFailed("The tape could not be followed: the error is above.")
            yield
        finally:
            stamping.kill()


def _stamp(tape: Path) -> None:
    """Note, until killed, when each part came: eight bytes each, monotonic nanoseconds, in the tape's folder."""
    with (tape / "published").open("w+b") as file:
        os.ftruncate(file.fileno(), PARTS_MAX * _STAMP.size)
        published = mmap.mmap(file.fileno(), 0)
    index = os.open(tape / f"{Codec.OPUS}.index", os.O_RDONLY)
    seen = 0
    print("ready", flush=True)
    while True:
        parts = record_count(os.fstat(index).st_size)
        for number in range(seen, min(parts, PARTS_MAX)):
            _STAMP.pack_into(published, number * _STAMP.size, time.monotonic_ns())
        seen = parts
        time.sleep(_LOOK_EVERY_S)


if __name__ == "__main__":
    _stamp(Path(sys.argv[1]) / sys.argv[2])
