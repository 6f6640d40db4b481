"""What can become of a live Space whose host is suspended. Plain data."""

from enum import StrEnum

import msgspec


class Becomes(StrEnum):
    GOES_ON = "goes_on"  # with the co-host who was connected longest
    HANDED_OVER = "handed_over"  # to somebody who is named
    ENDS = "ends"


class Fate(msgspec.Struct, frozen=True):
    """`to`: the account that hosts from now on; only where it is handed over."""

    becomes: Becomes
    to: int | None = None
