"""Networks as people write them, and which subjects of the gate an address hangs on. Pure.

What an address holds open ends by the gate's revocation counters, like everything else. A counter for each possible
network around an address would be 160 of them, so there are two sizes: a connection hangs on both of its address,
and stopping a network raises those it consists of. One between the sizes raises the larger, too: its neighbours'
connections break once, and come back. The counters of networks follow the one of NETWORKS, which says how new a
process' book of stops is: what was opened under a book hangs on its number, and nobody has to look up more.
"""

import ipaddress
from collections.abc import Iterable

from folkmoot.gate import Refused
from folkmoot.media.addresses import IPV4_WITHIN, Address, ipv4_within

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

NETWORKS = "networks"  # the subject that is raised whenever any network's stop changes
# Prefix lengths by IP version. IPv6: /64 is the least that one customer is given, /40 holds 256 sites.
_SIZES = {4: (20, 32), 6: (40, 64)}
WIDEST = {4: 12, 6: 32}  # 256 of the larger size
LARGE = {4: 20, 6: 48}  # wider than this catches thousands
_TEXT_MAX = 50


def parse_network(text: str) -> Network:
    """An address or a network (203.0.113.0/24, 2001:db8::/48). Bits behind the prefix are dropped, and IPv4 within
    IPv6 is IPv4. Raises Refused 422 for what is none, and for one that is too wide to be a narrow stop."""
    try:
        network = ipaddress.ip_network(text.strip(), strict=False) if len(text) <= _TEXT_MAX else None
    except ValueError:
        network = None
    if network is None or "%" in text:
        raise Refused(
            "network_invalid", "Write an address or a network, such as 203.0.113.0/24 or 2001:db8::/48.", status=422
        )
    network = _unmapped(network)
    holds_all_of_ipv4 = network.version == 6 and any(map(network.overlaps, IPV4_WITHIN))
    if network.prefixlen < WIDEST[network.version] or holds_all_of_ipv4:
        raise Refused(
            "network_too_wide",
            f"This is half the Internet: a network is at most a /{WIDEST[4]} (IPv4) or a /{WIDEST[6]} (IPv6).",
            status=422,
        )
    return network


def _unmapped(network: Network) -> Network:
    if isinstance(network, ipaddress.IPv6Network) and any(map(network.subnet_of, IPV4_WITHIN)):
        inner = ipv4_within(network.network_address)
        return ipaddress.IPv4Network(
            (str(inner), network.prefixlen - (network.max_prefixlen - inner.max_prefixlen))
        )
    return network


def parse_address(text: str) -> Address | None:
    """A client's address; one of IPv4 within IPv6 is the IPv4 address. None for what is no IP address."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return ipv4_within(address)


def is_large(network: Network) -> bool:
    """Whether it holds thousands of customers: worth asking twice."""
    return network.prefixlen < LARGE[network.version]


def address_subjects(text: str) -> list[str]:
    """What a connection from this address hangs on: the networks of both sizes around it."""
    address = parse_address(text)
    if address is None:
        return []
    return [_subject(ipaddress.ip_network((address, bits), strict=False)) for bits in _SIZES[address.version]]


def subjects_of(network: Network) -> list[str]:
    """The fewest subjects, at most 256, of which every address of the network hangs on one."""
    large, small = _SIZES[network.version]
    if network.prefixlen <= large:
        parts: Iterable[Network] = network.subnets(new_prefix=large)
    elif network.prefixlen < small - 8:
        parts = [network.supernet(new_prefix=large)]
    elif network.prefixlen <= small:
        parts = network.subnets(new_prefix=small)
    else:
        parts = [network.supernet(new_prefix=small)]
    return [_subject(part) for part in parts]


def _subject(network: Network) -> str:
    return f"network:{network}"
