"""A peer for comparison: Debian's Janus and its AudioBridge, a mixer written in C, under the same load.

It runs with a configuration of its own, in a folder that is thrown away, and is talked to over a unix socket (its
Janus API, transport "pfunix"). It keeps no recording.
"""

import asyncio
import itertools
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from folkmoot.bench.load import Cost, Load, StageFailed, speaking
from folkmoot.bench.publishers import Answer

ROOM = 1
_PLUGIN = "libjanus_audiobridge.so"
_TRANSPORT = "libjanus_pfunix.so"
_MESSAGE_BYTES_MAX = 256 * 1024
_START_WITHIN_S = 10.0
_STOP_WITHIN_S = 5.0
_STARTS_MAX = 10
_SAID_CHARACTERS_MAX = 4_000


def janus_command() -> str | None:
    """Where Janus is, if it is installed."""
    return shutil.which("janus")


def measure_janus(command: str, load: Load) -> Cost:
    """Starts Janus, fills a room of its AudioBridge, and measures. Raises StageFailed."""
    with (
        tempfile.TemporaryDirectory(prefix="folkmoot-janus-") as name,
        _running(command, Path(name)) as (pid, path),
        speaking(load, partial(to_janus, path)) as measure,
    ):
        return measure(pid)


@asynccontextmanager
async def to_janus(socket_path: Path) -> AsyncIterator[Answer]:
    """Signalling with a room of the AudioBridge."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.connect(str(socket_path))
        connection.setblocking(False)
        api = _Api(connection)
        session = (await api.ask(janus="create"))["data"]["id"]

        async def answer(seat: int, sdp: str) -> str:
            attached = await api.ask(janus="attach", session_id=session, plugin="janus.plugin.audiobridge")
            tell = partial(api.ask, janus="message", session_id=session, handle_id=attached["data"]["id"])
            await tell(body={"request": "join", "room": ROOM, "id": seat})
            offer = {"type": "offer", "sdp": sdp}
            joined = await tell(body={"request": "configure", "muted": False}, jsep=offer)
            return str(joined["jsep"]["sdp"])

        yield answer


class _Api:
    """One question at a time."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._transactions = map(str, itertools.count(1))

    async def ask(self, **message: Any) -> dict[str, Any]:
        """The answer to a message; an "ack" only says that the answer comes later. Raises StageFailed."""
        loop = asyncio.get_running_loop()
        transaction = next(self._transactions)
        await loop.sock_sendall(self._connection, msgspec.json.encode({**message, "transaction": transaction}))
        while True:
            read = await loop.sock_recv(self._connection, _MESSAGE_BYTES_MAX)
            if not read:
                raise StageFailed("Janus closed the connection.")
            reply = msgspec.json.decode(read, type=dict[str, Any])
            if reply.get("transaction") != transaction or reply["janus"] == "ack":
                continue
            data = reply.get("plugindata", {}).get("data", {})
            if reply["janus"] == "error" or "error" in data:
                raise StageFailed(f"Janus refused: {reply.get('error') or data['error']}.")
            return reply


@contextmanager
def _running(command: str, folder: Path) -> Iterator[tuple[int, Path]]:
    """Raises StageFailed where it doesn't start.

    It is started again where it ended: the thread of its unix socket (1.1.2) looks whether the plugin is
    initialized, which is noted just after the thread was begun. Where it looks first, Janus finds no transport.
    """
    path, log = folder / "api.sock", folder / "janus.log"
    _configure(folder, path)
    for _ in range(_STARTS_MAX):
        with log.open("w") as said:
            process = subprocess.Popen([command, "-F", str(folder)], stdout=said, stderr=said, cwd=folder)
        try:
            if _has_started(process, path):
                yield process.pid, path
                return
        finally:
            _stop(process)
    raise StageFailed(f"Janus did not start, tried {_STARTS_MAX} times: {log.read_text()[-_SAID_CHARACTERS_MAX:]}")


def _has_started(process: subprocess.Popen[bytes], path: Path) -> bool:
    deadline_s = time.monotonic() + _START_WITHIN_S
    while process.poll() is None and time.monotonic() < deadline_s:
        if _answers(path):
            return True
        time.sleep(0.02)
    return False


def _answers(path: Path) -> bool:
    """Its socket alone says nothing: it is there before the thread that may end again."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asking:
        asking.settimeout(_START_WITHIN_S)
        try:
            asking.connect(str(path))
            asking.send(msgspec.json.encode({"janus": "ping", "transaction": "0"}))
            return bool(asking.recv(_MESSAGE_BYTES_MAX))
        except OSError:
            return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _configure(folder: Path, path: Path) -> None:
    """One room at 48 kHz, like ours; of plugins and transports only those two that are needed."""
    general = 'general: { debug_level = 3, session_timeout = 0, server_name = "bench" }'
    disabled = "\n".join(
        f'{kind}: {{ disable = "{",".join(_others(kind, needed))}" }}'
        for kind, needed in (("plugins", _PLUGIN), ("transports", _TRANSPORT))
    )
    room = (
        f'room-{ROOM}: {{ description = "bench", sampling_rate = 48000, record = false, default_bitrate = 32000 }}'
    )
    files = {
        "janus.jcfg": f"{general}\n{disabled}\n",
        "janus.transport.pfunix.jcfg": f'general: {{ enabled = true, path = "{path}", type = "SOCK_SEQPACKET" }}\n',
        "janus.plugin.audiobridge.jcfg": f"{room}\n",
    }
    for name, content in files.items():
        (folder / name).write_text(content)


def _others(kind: str, needed: str) -> list[str]:
    return sorted({file.name for file in Path("/usr/lib").glob(f"*/janus/{kind}/*.so")} - {needed})
