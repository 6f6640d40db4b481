"""What is decided about a host of another network. Plain data."""

import msgspec

from folkmoot.gate.model import Sanction


class Decided(msgspec.Struct, frozen=True):
    """One decision in force: `host` is the canonical name, whose names below are meant, too. Its standing is
    limited or suspended, or active: allowed, although a name above is not."""

    host: str
    sanction: Sanction
