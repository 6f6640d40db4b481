"""Tapes that no stage has open: closing that of a Space that ended, seeing whether one can go on."""

import contextlib
from pathlib import Path

import structlog

from folkmoot.tape import layout
from folkmoot.tape.model import TapeDamaged, TapeEnded, TapeError
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


def still_for_ms(directory: Path, now_ms: int) -> int:
    """How long ago the sound on a tape ended that could go on; 0 while a stage is writing it, or if there is none.

    `now_ms` is Unix time. Raises TapeDamaged if no stage could go on with it.
    """
    if not directory.exists():
        return 0
    try:
        # As in `finish`: no silence is filled in. A tape that was only just begun has to begin now.
        is_begun = layout.read_header(directory) is not None
        TapeWriter.open(directory, lambda: 0 if is_begun else now_ms).release()
        with TapeReader(directory) as tape:
            return max(0, now_ms - tape.timeline_unix_ms - tape.end_ms)
    except TapeDamaged:
        raise
    except TapeError:
        return 0
