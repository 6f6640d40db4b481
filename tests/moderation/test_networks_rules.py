"""Networks are matched as `ipaddress` says they contain addresses; what is open hangs on what a stop raises."""

import ipaddress
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.gate import Refused
from folkmoot.moderation.networks.book import Book
from folkmoot.moderation.networks.model import Severity, Stop
from folkmoot.moderation.networks.rules import (
    WIDEST,
    Network,
    address_subjects,
    parse_address,
    parse_network,
    subjects_of,
)

NOW_MS = 1_000_000
# Few bits that differ, so that networks and addresses meet.
_SOME = st.one_of(
    st.integers(0, 2**32 - 1),
    st.sampled_from([0xCB007100, 0xC6336400]).flatmap(lambda base: st.integers(base, base + 1023)),
)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    if draw(st.booleans()):
        return ipaddress.IPv4Network((draw(_SOME), draw(st.integers(WIDEST[4], 32))), strict=False)
    base = (0x20010DB8 << 96) | (draw(st.integers(0, 2**96 - 1)))
    return ipaddress.IPv6Network((base, draw(st.integers(WIDEST[6], 128))), strict=False)


@st.composite
def addresses_in(draw: st.DrawFn, network: Network) -> str:
    return str(network[draw(st.integers(0, network.num_addresses - 1))])


def stop(number: int, network: Network, severity: Severity, until_ms: int | None = None) -> Stop:
    return Stop(number, network, severity, "", until_ms, None, 0)


@given(
    st.lists(st.tuples(networks(), st.sampled_from(Severity), st.none() | st.integers(0, 2 * NOW_MS))), st.data()
)
def test_the_strictest_of_those_that_contain_the_address(
    made: Sequence[tuple[Network, Severity, int | None]], data: st.DataObject
) -> None:
    stops = [stop(number, *one) for number, one in enumerate(made)]
    inside = data.draw(st.sampled_from(made))[0] if made else data.draw(networks())
    address = ipaddress.ip_address(data.draw(addresses_in(inside)))
    expected = [one for one in stops if one.network.version == address.version and address in one.network]
    expected = [one for one in expected if one.until_ms is None or one.until_ms > NOW_MS]
    found = Book(stops).find(str(address), NOW_MS)
    assert (found is None) == (not expected)
    if found is not None:
        assert found in expected
        assert found.severity.rank == max(one.severity.rank for one in expected)


@given(networks(), st.data())
def test_what_a_stop_raises_is_what_its_addresses_hang_on(network: Network, data: st.DataObject) -> None:
    raised = subjects_of(network)
    assert len(raised) <= 256
    held = address_subjects(data.draw(addresses_in(network)))
    assert len(held) == 2
    assert set(held) & set(raised)


@given(networks(), networks(), st.data())
def test_nobody_far_away_is_cut_off(network: Network, other: Network, data: st.DataObject) -> None:
    address = ipaddress.ip_address(data.draw(addresses_in(other)))
    large = {4: 20, 6: 40}[network.version]
    around = network.supernet(new_prefix=large) if network.prefixlen > large else network
    if address.version != network.version or address not in around:
        assert not set(address_subjects(str(address))) & set(subjects_of(network))


@given(networks())
def test_a_network_is_read_as_it_is_written(network: Network) -> None:
    assert parse_network(str(network)) == network


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("203.0.113.7", "203.0.113.7/32"),
        (" 203.0.113.7/24 ", "203.0.113.0/24"),
        ("2001:db8::1/48", "2001:db8::/48"),
        ("::ffff:203.0.113.7", "203.0.113.7/32"),
        ("::ffff:203.0.113.7/120", "203.0.113.0/24"),
        ("64:ff9b::203.0.113.7", "203.0.113.7/32"),
        ("64:ff9b::cb00:7107/120", "203.0.113.0/24"),
        ("64:ff9c::/48", "64:ff9c::/48"),
    ],
)
def test_what_people_type(written: str, means: str) -> None:
    assert str(parse_network(written)) == means


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("", "network_invalid"),
        ("nobody", "network_invalid"),
        ("203.0.113.0/33", "network_invalid"),
        ("203.0.113", "network_invalid"),
        ("203.0.113.0/24/24", "network_invalid"),
        ("010.0.0.1", "network_invalid"),
        ("fe80::1%eth0", "network_invalid"),
        ("1" * 100_000, "network_invalid"),
        ("0.0.0.0/0", "network_too_wide"),
        ("::/0", "network_too_wide"),
        ("10.0.0.0/8", "network_too_wide"),
        ("2001::/16", "network_too_wide"),
        # All of IPv4, as IPv6 writes it.
        ("::ffff:0.0.0.0/96", "network_too_wide"),
        ("64:ff9b::/96", "network_too_wide"),
        ("64:ff9b::/48", "network_too_wide"),
        ("::/64", "network_too_wide"),
    ],
)
def test_what_is_no_narrow_network(written: str, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        parse_network(written)
    assert refusal.value.code == code


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_none(text: str) -> None:
    address = parse_address(text)
    assert len(address_subjects(text)) == (0 if address is None else 2)
    assert Book().find(text, NOW_MS) is None


@given(st.integers(0, 2**32 - 1), st.sampled_from(["::ffff:{}", "64:ff9b::{}"]), st.integers(WIDEST[4], 32))
def test_a_stop_of_ipv4_holds_in_every_form_of_the_address(number: int, form: str, prefix: int) -> None:
    address = ipaddress.IPv4Address(number)
    network = ipaddress.IPv4Network((number, prefix), strict=False)
    within = form.format(address)
    assert parse_network(f"{within}/{96 + prefix}") == network
    assert address_subjects(within) == address_subjects(str(address))
    book = Book([stop(1, network, Severity.NO_ACCESS)])
    for outside in (within, str(ipaddress.IPv6Address(within))):
        assert book.find(outside, NOW_MS) is not None
    beside = ipaddress.IPv6Address("64:ff9c::") + number
    assert book.find(str(beside), NOW_MS) is None
