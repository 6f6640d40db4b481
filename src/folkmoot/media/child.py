"""The process that reads one file of a stranger's: `python -I -m folkmoot.media.child PURPOSE PARENT` in a folder.

It finds `source` there, leaves what it made beside it, and says on standard output how it goes, a JSON object a
line (`model.Word`). It has nothing else: `confinement.py`.
"""

import importlib
import sys
from pathlib import Path

import msgspec

from folkmoot.media import confinement, sniffing
from folkmoot.media.confinement import Bounds
from folkmoot.media.model import (
    FILE_BYTES_MAX,
    IMAGE_BYTES_MAX,
    Confined,
    Done,
    Processed,
    Progress,
    Purpose,
    Refusal,
    Unusable,
    Word,
)

SOURCE = "source"
PICTURE_BOUNDS = Bounds(memory_bytes=1_500_000_000, cpu_s=30, file_bytes=64_000_000)
FILM_BOUNDS = Bounds(memory_bytes=3_000_000_000, cpu_s=3600, file_bytes=600_000_000)
UNREADABLE = "This file can't be read as what it seems to be"


def main() -> None:
    """Always ends with exit code 0 after its last word."""
    purpose, parent = Purpose(sys.argv[1]), int(sys.argv[2])
    confinement.die_with(parent)
    has_left = confinement.leave_network()
    with open(SOURCE, "rb") as source:
        head = source.read(sniffing.HEAD_BYTES)
    _say(_outcome(head, purpose, ["namespaces"] if has_left else []))


def _outcome(head: bytes, purpose: Purpose, confined_by: list[str]) -> Word:
    form = sniffing.sniff(head)
    if form is None or (form.family != "image" and purpose is not Purpose.ATTACHMENT):
        return Refusal("File content type is invalid")
    is_picture = form.family == "image"
    if Path(SOURCE).stat().st_size > (IMAGE_BYTES_MAX if is_picture else FILE_BYTES_MAX):
        return Refusal("File is too large")
    # Imported first: afterwards there are no libraries to be found.
    may_move = sniffing.may_move(form, head)
    _import("folkmoot.media.films" if may_move else "folkmoot.media.pictures")
    confinement.bound(PICTURE_BOUNDS if is_picture else FILM_BOUNDS)
    _say(Confined((*confined_by, *confinement.confine(Path.cwd()))))
    try:
        return Done(_of_picture(form, purpose, may_move) if is_picture else _of_film(form))
    except Unusable as error:
        return Refusal(str(error))
    except MemoryError:
        return Refusal("This file takes more memory than there is for it")
    except Exception as error:  # whatever a decoder says of a file that is broken
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return Refusal(UNREADABLE)


def _import(module: str) -> None:
    """Only what this file needs: the libraries for films take longer than most pictures."""
    importlib.import_module(module)
    # Pillow's own modules for each form.
    importlib.import_module("PIL.Image").init()


def _of_picture(form: sniffing.Format, purpose: Purpose, may_move: bool) -> Processed:
    from folkmoot.media import pictures

    with pictures.open_picture(Path(SOURCE), form) as image:
        if not may_move or not pictures.is_animated(image) or purpose is Purpose.PREVIEW:
            return pictures.still(image, purpose)
        if purpose is not Purpose.ATTACHMENT:
            return pictures.moving(image, purpose)
        from folkmoot.media import films

        return films.of_animation(image, _Reporter())


def _of_film(form: sniffing.Format) -> Processed:
    from folkmoot.media import films, sounds

    made = films.process if form.family == "film" else sounds.process
    return made(Path(SOURCE), form, _Reporter())


class _Reporter:
    """Says each percent once."""

    def __init__(self) -> None:
        self._said = 0

    def __call__(self, part: float) -> None:
        percent = int(part * 100)
        if percent > self._said:
            self._said = percent
            _say(Progress(percent))


def _say(word: Word) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(word) + b"\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
