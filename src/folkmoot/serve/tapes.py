"""Closing the tape of a Space that ended while no stage was there to do it."""

import contextlib
from pathlib import Path

import structlog

from folkmoot.tape.model import TapeDamaged, TapeEnded
from folkmoot.tape.reader import TapeReader
from folkmoot.tape.writer import TapeWriter

log = structlog.get_logger(__name__)


def finish(directory: Path) -> int:
    """Mark a tape as ended where its sound ends; returns its length in ms. Again, and without a tape, too.

    Of a damaged one the part that can be read is what there is. Raises TapeBusy while a stage is writing it,
    TapeDamaged if nothing can be read, TapeWriteError.
    """
    damage: TapeDamaged | None = None
    try:
        with contextlib.suppress(TapeEnded):
            # In the year 1970: nothing has happened since the end of the sound, so no silence is filled in.
            TapeWriter.open(directory, lambda: 0).close()
    except TapeDamaged as error:
        damage = error
    with TapeReader(directory) as tape:
        if damage is None:
            return tape.end_ms
        if tape.end_ms > 0:
            log.error("tape.closed_damaged", tape=directory.name, reason=str(damage), kept_ms=tape.end_ms)
            return tape.end_ms
    raise damage
