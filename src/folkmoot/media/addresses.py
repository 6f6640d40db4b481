"""Addresses of the Internet: where this server may speak to at a stranger's word (nothing of this machine's or its
network's), and which are another one in disguise. Pure."""

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
IPV4_WITHIN = (ipaddress.IPv6Network("::ffff:0:0/96"), ipaddress.IPv6Network("64:ff9b::/96"))
"""IPv4 in the last 32 bits of IPv6: mapped (RFC 4291, 2.5.5.2), and as translators write it (RFC 6052, 2.1)."""


def parse(text: str) -> Address:
    """As the system's look-up writes them: without the name of an interface. Raises ValueError."""
    return ipaddress.ip_address(text.partition("%")[0])


def ipv4_within(address: Address) -> Address:
    """The IPv4 address that stands in an IPv6 one, where it does: mapped, or behind a translator (NAT64)."""
    if isinstance(address, ipaddress.IPv6Address) and any(address in network for network in IPV4_WITHIN):
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def is_public(address: Address) -> bool:
    """Whether anybody's server may be there."""
    address = ipv4_within(address)
    if isinstance(address, ipaddress.IPv6Address):
        inside = address.sixtofour or (address.teredo[1] if address.teredo else None)  # RFC 3056, RFC 4380
        if inside is not None:
            return is_public(inside)
    return address.is_global and not address.is_multicast
