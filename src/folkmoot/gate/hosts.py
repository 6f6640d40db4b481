"""Names of hosts of other networks in one form, and what holds for a name by the names above it. Pure."""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping

import idna

from folkmoot.gate.model import Refused, Sanction, Standing
from folkmoot.gate.standings import holding

_CHARACTERS_MAX = 253  # RFC 1035, 2.3.4, without the root's dot


def canonical(text: str) -> str:
    """A host's name in lower-case ASCII (IDNA 2008 after UTS 46), without port and last dot; an IP address as such.

    Raises Refused 422 for what can be no host's name.
    """
    name = text.strip().rstrip(".")
    if not name or len(name) > _CHARACTERS_MAX:
        raise _no_host()
    address = _address(name)
    if address is not None:
        return address
    try:
        ascii_name = idna.encode(name, uts46=True, transitional=False).decode()
    except (idna.IDNAError, UnicodeError) as error:
        raise _no_host() from error
    labels = ascii_name.split(".")
    # A last label of digits would be an IPv4 address to whoever follows it (WHATWG URL, "ends in a number").
    if len(ascii_name) > _CHARACTERS_MAX or labels[-1].isdigit():
        raise _no_host()
    return ascii_name


def and_above(name: str) -> Iterator[str]:
    """A canonical name, then each name that it is below, the narrowest first. An IP address is below nothing."""
    yield name
    if _address(name) is None:
        while "." in name:
            name = name.partition(".")[2]
            yield name


def holding_for(name: str, held: Mapping[str, Iterable[Sanction]], now_ms: int) -> Sanction:
    """What holds for a host: what is decided about the narrowest name that anything in force is decided about.

    So `good.example.org` can be allowed while `example.org` is suspended, and the other way round.
    """
    for above in and_above(name):
        in_force = [one for one in held.get(above, ()) if one.in_force(now_ms)]
        if in_force:
            return holding(in_force, now_ms)
    return Sanction(Standing.ACTIVE)


def _address(name: str) -> str | None:
    try:
        return str(ipaddress.ip_address(name.removeprefix("[").removesuffix("]")))
    except ValueError:
        return None


def _no_host() -> Refused:
    return Refused("host_invalid", "That is no host's name: write one such as example.org.", status=422)
