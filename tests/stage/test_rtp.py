"""RTP and RTCP, read back by aiortc's own parser."""

import struct

import pytest
from aiortc.rtp import RtcpPacket, RtcpRrPacket, RtcpSdesPacket, RtcpSrPacket, RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.stage.rtp import (
    Reception,
    RtpFields,
    control_packet,
    ntp_of_unix,
    parse_rtp,
    reported_loss_percent,
    rtp_packet,
)


@given(st.integers(0, 2**40), st.lists(st.integers(1, 2**32 - 1), max_size=20), st.binary(max_size=100))
def test_a_packet_reads_back(number: int, contributing: list[int], payload: bytes) -> None:
    data = rtp_packet(111, number, number * 960, 77, tuple(contributing), payload)
    packet = RtpPacket.parse(data)
    assert packet.sequence_number == number & 0xFFFF
    assert packet.timestamp == number * 960 & 0xFFFFFFFF
    assert packet.csrc == contributing[:15]
    assert packet.payload == payload
    fields = parse_rtp(data, 1)
    assert fields == RtpFields(number & 0xFFFF, number * 960 & 0xFFFFFFFF, 77, payload, None)


def test_the_level_is_found_in_both_forms_of_header_extension() -> None:
    fixed = struct.pack("!BBHII", 0x90, 111, 1, 2, 3)
    one_byte = struct.pack("!HH", 0xBEDE, 2) + b"\x30\xff\x10\xa5\0\0\0\0"
    two_byte = struct.pack("!HH", 0x1000, 2) + b"\x03\x01\xff\x01\x01\xa5\0\0"
    for extension in (one_byte, two_byte):
        fields = parse_rtp(fixed + extension + b"sound", 1)
        assert fields is not None
        assert (fields.level_dbov, fields.payload) == (-0x25, b"sound")
    fields = parse_rtp(fixed + one_byte + b"sound", None)
    assert fields is not None
    assert fields.level_dbov is None


@given(st.binary(max_size=200), st.integers(1, 14))
def test_garbage_is_none_or_fields(data: bytes, extension: int) -> None:
    fields = parse_rtp(data, extension)
    assert fields is None or len(fields.payload) <= len(data)


@given(st.binary(max_size=60), st.booleans(), st.sampled_from([0xBEDE, 0x1000, 0x1234]))
def test_garbage_in_extensions_is_harmless(block: bytes, padded: bool, profile: int) -> None:
    words = len(block) // 4
    data = struct.pack("!BBHII", 0xB0 if padded else 0x90, 111, 1, 2, 3)
    parse_rtp(data + struct.pack("!HH", profile, words) + block, 1)


def heard(*sequences: int) -> Reception:
    reception = Reception()
    for at, sequence in enumerate(sequences):
        reception.hear(RtpFields(sequence, at * 960, 9, b"", None), at * 0.02)
    return reception


def test_reports_are_what_aiortc_reads() -> None:
    reception = heard(65_534, 65_535, 0, 2)
    data = control_packet(5, "stage", reception.block(1.0), (960, 3, 240), 1000.0)
    report, names = RtcpPacket.parse(data)
    assert isinstance(report, RtcpSrPacket)
    assert report.sender_info.ntp_timestamp == ntp_of_unix(1000.0)
    assert (report.sender_info.packet_count, report.sender_info.octet_count) == (3, 240)
    block = report.reports[0]
    assert (block.ssrc, block.packets_lost, block.fraction_lost) == (9, 1, 256 // 5)
    assert block.highest_sequence == 65_536 + 2
    assert block.jitter == 0
    assert isinstance(names, RtcpSdesPacket)
    assert names.chunks[0].items == [(1, b"stage")]


def told(*sequences: int) -> int:
    """The fraction that a sender is told was lost, in 256ths."""
    report, _ = RtcpPacket.parse(control_packet(5, "stage", heard(*sequences).block(1.0), None, 0.0))
    assert isinstance(report, RtcpRrPacket)
    return int(report.reports[0].fraction_lost)


def test_any_loss_is_told_large_enough_that_the_sender_protects_itself() -> None:
    assert told(*range(100)) == 0
    assert told(*range(50), *range(51, 100)) / 256 >= 0.06, "1% is told as what makes libopus send copies"
    assert told(*range(0, 100, 2)) / 256 == pytest.approx(0.5, abs=0.02), "heavy loss is told as it is"


def test_before_anything_was_sent_it_is_a_receiver_report() -> None:
    report, _ = RtcpPacket.parse(control_packet(5, "stage", Reception().block(0.0), None, 0.0))
    assert isinstance(report, RtcpRrPacket)
    assert report.reports == []


def test_round_trips_can_be_computed_from_the_echo_of_a_sender_report() -> None:
    reception = heard(1, 2)
    theirs = control_packet(9, "x", b"", (0, 1, 1), 1000.5)
    reception.hear_control(theirs, 10.0)
    _, _, _, _, last, since = struct.unpack("!IIIIII", reception.block(10.25))
    assert last == ntp_of_unix(1000.5) >> 16 & 0xFFFFFFFF
    assert since == 65536 // 4


def test_the_loss_a_listener_reports_is_read_from_both_kinds_of_report() -> None:
    block = heard(1, 2, 4, 5).block(1.0)
    for sent in (None, (960, 3, 240)):
        data = control_packet(5, "x", block, sent, 1000.0)
        assert reported_loss_percent(data, 9) == pytest.approx(20, abs=1)
        assert reported_loss_percent(data, 10) is None


@given(st.binary(max_size=80), st.integers(0, 2**32 - 1))
def test_garbage_reports_nothing_or_a_share(data: bytes, ssrc: int) -> None:
    lost = reported_loss_percent(data, ssrc)
    assert lost is None or 0 <= lost < 100
