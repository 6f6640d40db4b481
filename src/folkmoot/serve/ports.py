"""Each stage process has UDP ports of its own: no two ever try for the same, and a firewall knows them all."""

from folkmoot.settings import UDP_PORTS_PER_STAGE


class NoPortsLeft(Exception):
    """Every share is taken. The message says what the operator can do."""


class PortShares:
    """Hands out disjoint shares of a range of UDP ports; None for a range means any port, for everybody.

    A share is 80 ports: 13 people on stage, each for a moment with a new connection beside the old one, and 50 who
    listen by WHEP. One port number serves one connection on each address of the machine.
    """

    def __init__(self, ports: range | None) -> None:
        self._ports = ports
        self._free = list(shares(ports)) if ports is not None else []
        self._taken: dict[str, range] = {}

    def take(self, owner: str) -> range | None:
        """A share for `owner`, the same as long as it isn't given back. Raises NoPortsLeft."""
        if self._ports is None:
            return None
        if owner not in self._taken:
            if not self._free:
                raise NoPortsLeft(
                    f"The {len(self._ports)} ports of the setting udp_ports are enough for {len(self._taken)} live "
                    "Spaces: give it more, or wait until one has ended."
                )
            self._taken[owner] = self._free.pop(0)
        return self._taken[owner]

    def keep(self, owner: str, share: range | None) -> None:
        """`owner` has this share already, of this range or another: nobody gets a port of it."""
        if share is not None:
            self._taken[owner] = share
            self._free = [free for free in self._free if not _overlap(free, share)]

    def give_back(self, owner: str) -> None:
        """Last in line: what may still come for the one before reaches nobody new so soon."""
        if self._taken.pop(owner, None) is None or self._ports is None:
            return
        for share in shares(self._ports):
            if share not in self._free and not any(_overlap(share, taken) for taken in self._taken.values()):
                self._free.append(share)


def _overlap(one: range, other: range) -> bool:
    return one.start < other.stop and other.start < one.stop


def shares(ports: range) -> list[range]:
    """The shares that a range has; what is left at its end is no share."""
    step = UDP_PORTS_PER_STAGE
    return [ports[at : at + step] for at in range(0, len(ports) - step + 1, step)]
