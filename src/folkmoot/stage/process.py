"""The stage process: one live Space's stage, served to web and worker over a unix socket."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from folkmoot.stage import protocol
from folkmoot.stage.embedded import EmbeddedEngine
from folkmoot.stage.engine import Engine, EventCallback
from folkmoot.stage.ice import IceSettings
from folkmoot.stage.leases import LeaseHolder
from folkmoot.stage.mixer_thread import MixSink
from folkmoot.stage.noise import noise_suppressor
from folkmoot.stage.service import EngineFactory, StageService

WHEP_LISTENERS_MAX = 50
_SWITCH_INTERVAL_S = 0.0005
_OUTBOX_BYTES_MAX = 1024 * 1024
_GOODBYE_TIMEOUT_S = 0.3


class StageConfig(msgspec.Struct, frozen=True):
    """Where a stage process listens, where its tape is, how its peers reach it, how many may listen by WHEP, and
    whether each seat's noise is taken out here (`noise.py`)."""

    socket_path: Path
    tape_directory: Path
    ice: IceSettings = IceSettings()
    whep_listeners_max: int = WHEP_LISTENERS_MAX
    noise_suppression: bool = False


def run_stage(config: StageConfig, leases: LeaseHolder) -> None:
    """Runs one Space's stage until `End` or SIGTERM; the calling process has nothing else to do.

    After SIGTERM the next stage process resumes the tape; after `End` it is over. Raises what `TapeWriter.open`
    raises when the tape can't be opened, OSError when the socket can't.
    """
    # The mixer thread must not wait 5 ms for the interpreter while the loop handles packets.
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    asyncio.run(_main(config, leases))


async def _main(config: StageConfig, leases: LeaseHolder) -> None:
    def embedded(sink: MixSink, on_event: EventCallback, timeline_ms: Callable[[], int]) -> Engine:
        make_clean = noise_suppressor if config.noise_suppression else None
        return EmbeddedEngine(config.ice, sink, on_event, timeline_ms, make_clean)

    server = StageServer(config.tape_directory, leases, embedded, config.whep_listeners_max)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    await server.serve(config.socket_path)


class StageServer:
    """The socket in front of a `StageService`. Tests run it in their own loop with a fake engine."""

    def __init__(
        self,
        tape_directory: Path,
        leases: LeaseHolder,
        make_engine: EngineFactory,
        whep_listeners_max: int = WHEP_LISTENERS_MAX,
    ) -> None:
        self._leases = leases
        self._clients: set[asyncio.StreamWriter] = set()
        self._conversations: set[asyncio.Task[None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._service = StageService(tape_directory, leases, make_engine, self._push, whep_listeners_max)

    def stop(self) -> None:
        """Close, but leave the tape so that it can go on."""
        self._stopping.set()

    async def serve(self, socket_path: Path) -> None:
        """Listens until `End` or `stop`; then closes everything and returns, within 3 s."""
        _remove(socket_path)
        server = await asyncio.start_unix_server(self._client, socket_path)
        following = asyncio.create_task(self._leases.follow())
        try:
            await self._stopping.wait()
        finally:
            server.close()
            await self._service.close(ends=False)
            following.cancel()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(following, *self._tasks, return_exceptions=True)
            for writer in self._clients:
                writer.close()
            if self._conversations:
                await asyncio.wait(self._conversations, timeout=_GOODBYE_TIMEOUT_S)
            _remove(socket_path)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = asyncio.current_task()
        assert conversation is not None
        self._conversations.add(conversation)
        conversation.add_done_callback(self._conversations.discard)
        self._clients.add(writer)
        try:
            while True:
                header = await reader.readexactly(protocol.HEADER.size)
                body = await reader.readexactly(protocol.frame_length(header))
                self._take(body, writer)
        except protocol.FrameError as error:
            # Too long: what follows can't be told apart from the next frame, so this was the last one.
            self._send(writer, protocol.Reply(0, protocol.Failed(str(error))))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._clients.discard(writer)
            writer.close()

    def _take(self, body: bytes, writer: asyncio.StreamWriter) -> None:
        try:
            request = protocol.decode_request(body)
        except protocol.FrameError as error:
            self._send(writer, protocol.Reply(0, protocol.Failed(str(error))))
            return
        task = asyncio.create_task(self._answer(request, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, request: protocol.Request, writer: asyncio.StreamWriter) -> None:
        result = await self._service.do(request.call)
        self._send(writer, protocol.Reply(request.id, result))
        if isinstance(request.call, protocol.End):
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            self._stopping.set()

    def _push(self, event: protocol.Event) -> None:
        for writer in self._clients:
            self._send(writer, protocol.Pushed(event))

    def _send(self, writer: asyncio.StreamWriter, message: protocol.Reply | protocol.Pushed) -> None:
        if writer.is_closing():
            return
        if writer.transport.get_write_buffer_size() > _OUTBOX_BYTES_MAX:
            # It stopped reading. It will connect again and ask for the state.
            writer.transport.abort()
            return
        writer.write(protocol.encode_frame(message))


def _remove(socket_path: Path) -> None:
    """A stage that was killed leaves its socket behind."""
    socket_path.unlink(missing_ok=True)
