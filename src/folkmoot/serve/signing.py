"""The worker signs the tapes of live Spaces every few seconds, and each tape's end."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from folkmoot.serve.places import Places
from folkmoot.storage.keys import load_or_create_key
from folkmoot.tape.checkpoint import Signer
from folkmoot.tape.model import TapeError, TapeMissing
from folkmoot.tape.signing import sign_tape

log = structlog.get_logger(__name__)
SIGN_EVERY_S = 10.0
KEY_NAME = "tape-log"


def verifier_key_path(places: Places) -> Path:
    """What opens the checkpoints of this server, written at the worker's start: `folkmoot tape key` prints it."""
    return places.keys / f"{KEY_NAME}.verifier"


def _keep(path: Path, text: str) -> None:
    """Nothing is written where it is there already: the disk may be full."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


class TapeSigning:
    """One per worker. `base_url` names this server in what is signed; `live` are the Spaces that may have news."""

    def __init__(self, places: Places, base_url: str, live: Callable[[], Awaitable[list[int]]]) -> None:
        self._places = places
        self._host = base_url.partition("://")[2]
        self._live = live
        self._failing: set[int] = set()  # said once
        self._signer = Signer(f"{self._host}/tapes", load_or_create_key(places.keys, KEY_NAME))
        _keep(verifier_key_path(places), f"{self._signer.verifier}\n")

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(SIGN_EVERY_S)
            try:
                for space_id in sorted(await self._live()):
                    await self.sign(space_id)
            except Exception:
                # A database that is away: what is not signed now is signed the next time.
                log.exception("worker.signing_failed")

    async def sign(self, space_id: int) -> None:
        """Sign what is new of a Space's tape; what goes wrong is logged, and may succeed the next time."""
        space = f"{self._host}/spaces/{space_id}"
        try:
            await asyncio.to_thread(sign_tape, self._places.tape(space_id), space, self._signer)
        except TapeMissing:
            return
        except (TapeError, OSError):
            if space_id not in self._failing:
                log.exception("worker.tape_not_signed", space=space_id)
            self._failing.add(space_id)
        else:
            self._failing.discard(space_id)
