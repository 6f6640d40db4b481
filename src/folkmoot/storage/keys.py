"""Secret keys of the server: one file of 32 random bytes each, readable by its owner only."""

import os
import secrets
from pathlib import Path

KEY_BYTES = 32


class KeyUnusable(Exception):
    """A key file is there but is not a key."""


def load_or_create_key(directory: Path, name: str) -> bytes:
    """The 32 bytes of the key `name`, made at the first call; two processes that call at once get the same.

    Raises KeyUnusable for a file of another length: a key that was cut off must not be replaced in silence.
    """
    path = directory / f"{name}.key"
    if not path.exists():
        _create(path)
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise KeyUnusable(f"{path} has {len(key)} bytes and should have {KEY_BYTES}: restore it from a backup.")
    return key


def _create(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        # A link, not a rename: whoever comes second must not replace the key that the first already uses.
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
