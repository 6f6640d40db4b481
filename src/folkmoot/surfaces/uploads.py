"""Files in requests: who may send how many, what can't be taken, and the sentence that says so."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import msgspec
from litestar.datastructures import UploadFile

from folkmoot.gate import Refused, invalid
from folkmoot.media.depot import Made
from folkmoot.media.model import FILE_BYTES_MAX, IMAGE_BYTES_MAX, Purpose, Unusable
from folkmoot.media.sniffing import HEAD_BYTES, Format, sniff
from folkmoot.surfaces.services import Services

BODY_BYTES_MAX = FILE_BYTES_MAX + IMAGE_BYTES_MAX + 1_000_000
"""The file, a picture to show for it, and the other fields."""
PICTURES_BYTES_MAX = 2 * IMAGE_BYTES_MAX + 1_000_000


FileSent = Annotated[Any, msgspec.Meta(extra_json_schema={"type": "string", "format": "binary"})]
"""A field of a form that holds a file; whatever else stands there is none."""


def sent_file(value: Any) -> UploadFile | None:
    """The file in a field of a form, if one was chosen there."""
    return value if isinstance(value, UploadFile) and size_of(value) > 0 else None


def size_of(upload: UploadFile) -> int:
    at = upload.file.tell()
    size_bytes = upload.file.seek(0, 2)
    upload.file.seek(at)
    return size_bytes


def form_of(upload: UploadFile) -> Format:
    """What the file is by its first bytes. Raises Refused 422 for one that isn't taken, or is too large."""
    upload.file.seek(0)
    form = sniff(upload.file.read(HEAD_BYTES))
    if form is None:
        raise invalid("File content type is invalid")
    bytes_max = IMAGE_BYTES_MAX if form.family == "image" else FILE_BYTES_MAX
    if size_of(upload) > bytes_max:
        raise invalid(f"File must be less than {bytes_max // 1024 // 1024} MB")
    return form


async def picture(services: Services, upload: UploadFile, purpose: Purpose, folder: str) -> Made:
    """Process a picture and store it below a folder of the object store. Raises Refused 422, 507."""
    if form_of(upload).family != "image":
        raise invalid("File content type is invalid")
    with refusing():
        return await services.depot.at_once(upload.file, purpose, folder)


@contextmanager
def refusing() -> Iterator[None]:
    """What goes wrong with a file is said to its sender."""
    try:
        yield
    except Unusable as error:
        raise invalid(str(error)) from error
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        sentence = "The server's disk is full: nothing was kept of this. Tell its operator."
        raise Refused("disk_full", sentence, status=507) from error
