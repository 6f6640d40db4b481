"""A picture of an account, as plain data."""

from typing import Literal

import msgspec

from folkmoot.media.depot import Stored

Which = Literal["avatar", "header"]


class Portrait(msgspec.Struct, frozen=True, omit_defaults=True):
    """An avatar or a header; `still`: of one that moves, the picture that doesn't. Each has its own version, so
    that what is at an address never changes."""

    version: int
    original: Stored
    still: Stored | None = None

    @property
    def keys(self) -> list[str]:
        return [one.key for one in (self.original, self.still) if one is not None]


def folder_of(account_id: int, which: Which, version: int) -> str:
    """Where the object store keeps it."""
    return f"portraits/{account_id}/{which}-{version}"
