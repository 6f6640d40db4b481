"""All stopped networks of a process, to be looked up at every request. Pure: the time is an argument."""

import ipaddress
from collections.abc import Iterable

from folkmoot.moderation.networks.model import Stop
from folkmoot.moderation.networks.rules import parse_address

_Key = tuple[int, int, int]  # IP version, prefix length, the network's bits


class Book:
    """Looked up by the prefix lengths that occur: as many steps as there are different ones, however many stops."""

    def __init__(self, stops: Iterable[Stop] = ()) -> None:
        self._stops: dict[_Key, list[Stop]] = {}
        for stop in stops:
            network = stop.network
            host_bits = network.max_prefixlen - network.prefixlen
            key = (network.version, network.prefixlen, int(network.network_address) >> host_bits)
            self._stops.setdefault(key, []).append(stop)
        self._lengths = {(version, length) for version, length, _ in self._stops}

    def find(self, text: str, now_ms: int) -> Stop | None:
        """The strictest stop that is in force for a client's address; of equals the one that ends last."""
        address = parse_address(text)
        if address is None or not self._stops:
            return None
        whole = ipaddress.IPV4LENGTH if address.version == 4 else ipaddress.IPV6LENGTH
        found = [
            stop
            for version, length in self._lengths
            if version == address.version
            for stop in self._stops.get((version, length, int(address) >> (whole - length)), ())
            if stop.in_force(now_ms)
        ]
        return max(found, key=_strictness, default=None)


def _strictness(stop: Stop) -> tuple[int, bool, int, int]:
    return (stop.severity.rank, stop.until_ms is None, stop.until_ms or 0, stop.id)
