"""A seated peer floods the stage from its own socket, and the others hear each other without a gap."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.stage.peers import FRAME, Client, has_tone, until
from tests.stage.test_whole import Process, joining

pytestmark = [pytest.mark.slow, pytest.mark.alone]

_FLOOD = """
import os, socket, struct, sys, time
handle, host, port, rate, kind, payload_type = sys.argv[1:]
own = socket.socket(fileno=int(handle))
sent, began = 0, time.monotonic()
while (passed_s := time.monotonic() - began) < 1.5:
    while sent < int(rate) * passed_s:
        if kind == "rtp":
            head = struct.pack("!BBHII", 0x80, int(payload_type), sent & 0xFFFF, sent * 960 & 0xFFFFFFFF, 7)
            datagram = head + os.urandom(80)
        elif kind == "stun":
            datagram = struct.pack("!HHI", 1, 0, 0x2112A442) + os.urandom(12)
        else:
            datagram = bytes([22, 254, 253]) + os.urandom(100)
        try:
            own.sendto(datagram, (host, int(port)))
        except BlockingIOError:
            pass
        sent += 1
    time.sleep(0.0005)
print(sent, flush=True)
os._exit(0)
"""


async def flood(peer: Client, kind: str, rate: int) -> int:
    """From another process, so that this one goes on hearing; returns how many datagrams were sent."""
    sender = peer.connection.getSenders()[0]
    pair = sender.transport.transport._connection._nominated[1]
    own = pair.protocol.transport.get_extra_info("socket")
    codecs = peer.connection.getTransceivers()[0]._codecs
    payload_type = next(one.payloadType for one in codecs if one.mimeType.lower() == "audio/opus")
    host, port = pair.remote_addr[:2]
    arguments = [str(own.fileno()), host, str(port), str(rate), kind, str(payload_type)]
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _FLOOD, *arguments, pass_fds=(own.fileno(),), stdout=subprocess.PIPE
    )
    said, _ = await running.communicate()
    return int(said)


@pytest.mark.parametrize(("kind", "rate"), [("rtp", 5_000), ("rtp", 20_000), ("stun", 20_000), ("dtls", 20_000)])
async def test_a_flood_from_a_seat_leaves_no_gap_in_what_the_others_hear(
    kind: str, rate: int, tmp_path: Path, clients: Callable[..., Client]
) -> None:
    process = Process(tmp_path)
    try:
        stage = await process.connect()
        low, high, hostile = clients(440), clients(1000), clients(2500)
        for seat, one in enumerate((low, high, hostile), 1):
            await one.join(joining(stage, seat))
        await until(lambda: low.hears(1000) and high.hears(440) and low.hears(2500))
        low.forget()
        high.forget()
        assert await flood(hostile, kind, rate) > rate
        for hearer, frequency in ((low, 1000), (high, 440)):
            heard = np.concatenate(hearer.heard)
            frames = np.split(heard[: len(heard) // FRAME * FRAME], len(heard) // FRAME)
            assert len(frames) > 50
            assert sum(not has_tone(frame, frequency, 0.01) for frame in frames) <= 1
        await stage.close()
    finally:
        process.running.kill()
        process.running.wait()
