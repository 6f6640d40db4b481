"""Whose a request is, behind proxies: what is believed of whom."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.surfaces.addresses import HOPS_MAX, ClientAddresses

PROXIES = ("127.0.0.0/8", "10.0.0.0/8", "2001:db8:1::/48")
FORWARDED_FOR, FORWARDED = b"x-forwarded-for", b"forwarded"


@pytest.mark.parametrize(
    ("peer", "headers", "client"),
    [
        # IPv4 within IPv6, by whichever way it came.
        ("::ffff:198.51.100.7", [], "198.51.100.7"),
        ("64:ff9b::101:101", [], "1.1.1.1"),
        ("127.0.0.1", [(FORWARDED_FOR, b"64:ff9b::1.1.1.1")], "1.1.1.1"),
        # A translator's word for a private address is nobody's proxy.
        ("64:ff9b::10.1.2.3", [(FORWARDED_FOR, b"203.0.113.9")], "64:ff9b::a01:203"),
        ("64:ff9b::7f00:1", [(FORWARDED_FOR, b"203.0.113.9")], "64:ff9b::7f00:1"),
        # Nobody is believed who is not trusted.
        ("198.51.100.7", [(FORWARDED_FOR, b"203.0.113.9")], "198.51.100.7"),
        ("198.51.100.7", [(FORWARDED, b"for=203.0.113.9")], "198.51.100.7"),
        # One hop, several, and what the client claimed before them.
        ("127.0.0.1", [(FORWARDED_FOR, b"203.0.113.9")], "203.0.113.9"),
        ("127.0.0.1", [(FORWARDED_FOR, b"203.0.113.9, 10.1.2.3")], "203.0.113.9"),
        ("127.0.0.1", [(FORWARDED_FOR, b"1.1.1.1, 203.0.113.9, 10.1.2.3")], "203.0.113.9"),
        ("127.0.0.1", [(FORWARDED_FOR, b"1.1.1.1"), (FORWARDED_FOR, b"203.0.113.9,10.1.2.3")], "203.0.113.9"),
        ("127.0.0.1", [(FORWARDED_FOR, b"10.9.9.9, 10.1.2.3")], "10.9.9.9"),
        ("127.0.0.1", [], "127.0.0.1"),
        # Forms of addresses.
        ("127.0.0.1", [(FORWARDED_FOR, b"203.0.113.9:4711")], "203.0.113.9"),
        ("127.0.0.1", [(FORWARDED_FOR, b"[2001:db8:2::7]:4711")], "2001:db8:2::7"),
        ("127.0.0.1", [(FORWARDED_FOR, b"2001:DB8:2::7")], "2001:db8:2::7"),
        ("::ffff:127.0.0.1", [(FORWARDED_FOR, b"::ffff:203.0.113.9")], "203.0.113.9"),
        ("2001:db8:1::2", [(FORWARDED_FOR, b"203.0.113.9")], "203.0.113.9"),
        # What is no address ends at the proxy that said it.
        ("127.0.0.1", [(FORWARDED_FOR, b"203.0.113.9, unknown")], "127.0.0.1"),
        ("127.0.0.1", [(FORWARDED_FOR, b"unknown, 10.1.2.3")], "10.1.2.3"),
        ("127.0.0.1", [(FORWARDED_FOR, b"fe80::1%eth0")], "127.0.0.1"),
        # RFC 7239, and that X-Forwarded-For is the one that counts where both are there.
        ("127.0.0.1", [(FORWARDED, b"for=203.0.113.9;proto=https;by=10.0.0.1")], "203.0.113.9"),
        ("127.0.0.1", [(FORWARDED, b'proto=https;For="[2001:db8:2::7]:4711", for=10.1.2.3')], "2001:db8:2::7"),
        ("127.0.0.1", [(FORWARDED, b'for=1.1.1.1, for="203.0.113.9:80", for=10.1.2.3')], "203.0.113.9"),
        ("127.0.0.1", [(FORWARDED, b"for=_hidden, for=10.1.2.3")], "10.1.2.3"),
        ("127.0.0.1", [(FORWARDED, b'for="1.1.1.1, for=203.0.113.9')], "203.0.113.9"),
        ("127.0.0.1", [(FORWARDED, b'for="1.1.1.1, for="[2001:db8:2::7]:80"')], "2001:db8:2::7"),
        ("127.0.0.1", [(FORWARDED, b"for=1.1.1.1"), (FORWARDED_FOR, b"203.0.113.9")], "203.0.113.9"),
        # No socket of the internet.
        ("", [(FORWARDED_FOR, b"203.0.113.9")], ""),
    ],
)
def test_whose_a_request_is(peer: str, headers: list[tuple[bytes, bytes]], client: str) -> None:
    assert ClientAddresses(PROXIES)(peer, headers) == client


def test_hops_are_bounded() -> None:
    hops = b"203.0.113.9," + b",".join([b"10.0.0.1"] * HOPS_MAX)
    assert ClientAddresses(PROXIES)("127.0.0.1", [(FORWARDED_FOR, hops)]) == "10.0.0.1"


@given(st.sampled_from([FORWARDED_FOR, FORWARDED]), st.binary(max_size=80))
def test_whatever_is_claimed_an_address_comes_of_it(name: bytes, value: bytes) -> None:
    ipaddress.ip_address(ClientAddresses(PROXIES)("127.0.0.1", [(name, value)]))


@given(st.lists(st.ip_addresses().map(str), max_size=5), st.ip_addresses(v=4).filter(lambda a: str(a)[:3] != "10."))
def test_what_a_client_claims_before_a_proxy_counts_for_nothing(
    claimed: list[str], address: ipaddress.IPv4Address
) -> None:
    hops = ", ".join([*claimed, str(address), "10.1.2.3"]).encode()
    expected = str(address)
    if not address.is_loopback:
        assert ClientAddresses(PROXIES)("127.0.0.1", [(FORWARDED_FOR, hops)]) == expected
