"""Has a confined child process make of an upload what is kept of it (`child.py`)."""

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec
import structlog

from folkmoot.media.child import SOURCE, UNREADABLE
from folkmoot.media.model import Confined, Done, Processed, Progress, Purpose, Refusal, Unusable, Word

log = structlog.get_logger(__name__)
PICTURE_WITHIN_S = 60.0
FILM_WITHIN_S = 2 * 3600.0
LEFT_BEHIND_S = 6 * 3600
_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1"}
_LINE_BYTES_MAX = 64 * 1024
_SAID_BYTES_MAX = 500
_WORD = msgspec.json.Decoder(Word)
Watch = Callable[[int], Awaitable[None]]


async def _unwatched(_percent: int) -> None:
    pass


class Workshop:
    """The folder in which uploads are taken apart, and how many of them at a time."""

    def __init__(self, folder: Path, at_once_max: int) -> None:
        self._folder = folder
        self.places = asyncio.Semaphore(at_once_max)
        self.made = 0
        self.refused = 0

    @asynccontextmanager
    async def bench(self) -> AsyncIterator[Path]:
        """A folder of one's own, which is gone afterwards. An upload is put into it as `SOURCE`."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = Path(await asyncio.to_thread(tempfile.mkdtemp, dir=self._folder))
        try:
            yield made
        finally:
            await asyncio.to_thread(shutil.rmtree, made, ignore_errors=True)

    async def process(self, bench: Path, purpose: Purpose, within_s: float, watch: Watch = _unwatched) -> Processed:
        """What was made of the upload in a bench, in the same folder. `watch` is told percents.

        Raises Unusable with a sentence for its owner; cancelled, it leaves nothing running.
        """
        async with self.places:
            try:
                processed = await _in_child(bench, purpose, within_s, watch)
            except Unusable:
                self.refused += 1
                raise
            self.made += 1
            return processed

    def sweep(self, now_s: float) -> None:
        """Delete what processes that were killed left behind."""
        for left in self._folder.iterdir() if self._folder.is_dir() else ():
            with contextlib.suppress(OSError):
                if left.stat().st_mtime < now_s - LEFT_BEHIND_S:
                    shutil.rmtree(left, ignore_errors=True)


async def granted() -> list[str]:
    """Which means of confining a child this kernel grants: of "namespaces", "landlock" and "seccomp"."""
    with tempfile.TemporaryDirectory() as folder:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-m", "folkmoot.media.confinement"),
            cwd=folder,
            env=_ENVIRONMENT,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            said, _ = await child.communicate()
        finally:
            await _gone(child)
    return msgspec.json.decode(said, type=list[str])


async def warn_where_unconfined(ask: Callable[[], Awaitable[list[str]]] = granted) -> None:
    """Say so where strangers' files are decoded by a process that could do everything this one can."""
    try:
        by = await ask()
    except (OSError, msgspec.MsgspecError):
        by = []
    if not {"landlock", "seccomp"} & set(by):
        log.warning(
            "media.not_confined",
            granted=by,
            meaning="What decodes uploads may read and send whatever this server may. Run it on a kernel (5.13 or "
            "later) or in a container that allows Landlock or seccomp.",
        )


async def _in_child(bench: Path, purpose: Purpose, within_s: float, watch: Watch) -> Processed:
    said = bench / "said"
    with said.open("wb") as errors:
        child = await _started(bench, purpose, errors)
    assert child.stdout is not None
    try:
        async with asyncio.timeout(within_s):
            word = await _last_word(child.stdout, watch)
            await child.wait()
    except TimeoutError as error:
        raise Unusable("This file takes longer to read than there is time for it") from error
    finally:
        await _gone(child)
    if isinstance(word, Done):
        return word.processed
    why = word.sentence if word is not None else f"the process ended with {child.returncode}"
    log.info("media.refused", purpose=purpose, why=why)
    # What a decoder says may quote the file: nothing of that is in a log that nobody asked for.
    log.debug("media.decoder_said", said=_end_of(said))
    raise Unusable(word.sentence if word is not None else UNREADABLE)


async def _started(bench: Path, purpose: Purpose, errors: BinaryIO) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-m", "folkmoot.media.child", purpose.value, str(os.getpid())),
        cwd=bench,
        env=_ENVIRONMENT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=errors,
        limit=_LINE_BYTES_MAX,
    )


async def _gone(child: Process) -> None:
    """Also where who waited for it waits no more."""
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
        await child.wait()


def _end_of(said: Path) -> str:
    """For whoever has to find out why: what a decoder said last, made printable."""
    with said.open("rb") as errors:
        errors.seek(max(0, said.stat().st_size - _SAID_BYTES_MAX))
        return ascii(errors.read().decode(errors="replace").strip())


async def _last_word(said: asyncio.StreamReader, watch: Watch) -> Done | Refusal | None:
    """None of a child that died: of a fault in a decoder, or because it took more than it may."""
    try:
        async for line in said:
            match _WORD.decode(line):
                case Progress(percent):
                    await watch(percent)
                case Confined(by):
                    log.debug("media.confined", by=by)
                case (Done() | Refusal()) as last:
                    return last
    except (ValueError, msgspec.MsgspecError):
        pass  # a child that was taken over says anything
    return None


__all__ = ["FILM_WITHIN_S", "PICTURE_WITHIN_S", "SOURCE", "Watch", "Workshop"]
