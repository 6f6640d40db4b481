"""The private names of aiortc and aioice that the stage relies on: this fails first when a version moves them."""

import inspect
import re
from importlib.metadata import version

import aioice
import aioice.ice
import pytest
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsTransport


def parameters(function: object) -> list[str]:
    assert callable(function)
    return list(inspect.signature(function).parameters)


def test_the_versions_are_those_that_were_read() -> None:
    assert version("aiortc") == "1.16.0"
    assert version("aioice") == "0.13.0"


@pytest.mark.parametrize(
    ("name", "expected", "caller"),
    [
        ("_handle_rtp_data", ["self", "data", "arrival_time_ms"], "_recv_next"),
        ("_handle_rtcp_data", ["self", "data"], "_recv_next"),
        ("_send_rtp", ["self", "data"], None),
        ("_set_role", ["self", "role"], None),
    ],
)
def test_dtls_hands_packets_to_methods_we_override(name: str, expected: list[str], caller: str | None) -> None:
    method = getattr(RTCDtlsTransport, name)
    assert parameters(method) == expected
    if caller is not None:
        assert inspect.iscoroutinefunction(method)
        assert f"self.{name}(" in inspect.getsource(getattr(RTCDtlsTransport, caller))


def test_dtls_decrypts_with_the_session_we_use() -> None:
    assert "self._rx_srtp.unprotect(data)" in inspect.getsource(RTCDtlsTransport._recv_next)
    assert "self._rx_srtp = Session(" in inspect.getsource(RTCDtlsTransport._setup_srtp)


def test_what_is_sent_the_short_way_is_what_aiortc_and_aioice_would_send() -> None:
    assert "self._tx_srtp = Session(" in inspect.getsource(RTCDtlsTransport._setup_srtp)
    assert "self._tx_srtp.protect(data)" in inspect.getsource(RTCDtlsTransport._send_rtp)
    sent = inspect.getsource(aioice.Connection.sendto)
    assert "active_pair = self._nominated.get(component)" in sent
    assert "await active_pair.protocol.send_data(data, active_pair.remote_addr)" in sent
    assert "self.transport.sendto(data, addr)" in inspect.getsource(aioice.ice.StunProtocol.send_data)


def test_dtls_takes_its_ciphers_from_where_we_override() -> None:
    assert parameters(RTCCertificate._create_ssl_context) == ["self", "srtp_profiles"]
    assert "ctx.set_cipher_list(" in inspect.getsource(RTCCertificate._create_ssl_context)
    assert "__local_certificate._create_ssl_context(" in inspect.getsource(RTCDtlsTransport)


def test_dtls_asks_the_ice_transport_for_nothing_else() -> None:
    source = inspect.getsource(RTCDtlsTransport)
    used = set(re.findall(r"self\.transport\.(\w+)", source))
    assert used == {"_recv", "_send", "role"}


def test_ice_opens_its_sockets_where_we_override() -> None:
    gather = inspect.getsource(aioice.Connection.gather_candidates)
    assert "self.get_component_candidates(component=component, addresses=addresses)" in gather
    assert parameters(aioice.Connection.get_component_candidates) == [
        "self",
        "component",
        "addresses",
        "timeout",
    ]
    assert parameters(aioice.ice.StunProtocol.datagram_received) == ["self", "data", "addr"]
    assert parameters(aioice.ice.server_reflexive_candidate) == ["protocol", "stun_server"]
    for name in ("_nominated", "_protocols"):
        assert f"self.{name}: " in inspect.getsource(aioice.Connection.__init__)
