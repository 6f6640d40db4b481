"""Where this server may speak to at a stranger's word: nothing of this machine's or its network's. Pure."""

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# What holds an IPv4 address in an IPv6 one: RFC 4291 2.5.5, RFC 3056, RFC 4380, RFC 6052.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def parse(text: str) -> Address:
    """As the system's look-up writes them: without the name of an interface. Raises ValueError."""
    return ipaddress.ip_address(text.partition("%")[0])


def is_public(address: Address) -> bool:
    """Whether anybody's server may be there."""
    if isinstance(address, ipaddress.IPv6Address):
        inside = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inside is None and address in _NAT64:
            inside = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if inside is not None:
            return is_public(inside)
    return address.is_global and not address.is_multicast
