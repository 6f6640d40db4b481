"""The few fields of RTP and RTCP the stage reads and writes (RFC 3550, RFC 8285). Pure."""

import struct

import msgspec

from folkmoot.stage.speaking import level_of_extension_dbov

SAMPLE_RATE = 48_000
_NTP_UNIX_OFFSET_S = 2_208_988_800
_FIXED = struct.Struct("!BBHII")
_EXTENSION = struct.Struct("!HH")
_ONE_BYTE_PROFILE = 0xBEDE
_TWO_BYTE_PROFILE = 0x1000
_SENDER_REPORT = 200
_RECEIVER_REPORT = 201
_SOURCE_DESCRIPTION = 202


class RtpFields(msgspec.Struct, frozen=True, gc=False):
    """What is read of an RTP packet. `level_dbov` is the RFC 6464 level, None when the packet has none."""

    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    level_dbov: int | None


def parse_rtp(data: bytes, level_extension_id: int | None) -> RtpFields | None:
    """The fields of an RTP packet after SRTP; None when it isn't one."""
    if len(data) < _FIXED.size or data[0] >> 6 != 2:
        return None
    first, _, sequence, timestamp, ssrc = _FIXED.unpack_from(data)
    at = _FIXED.size + 4 * (first & 0x0F)
    level: int | None = None
    if first & 0x10:
        if len(data) < at + _EXTENSION.size:
            return None
        profile, words = _EXTENSION.unpack_from(data, at)
        at += _EXTENSION.size
        if level_extension_id is not None:
            level = _level(profile, data[at : at + 4 * words], level_extension_id)
        at += 4 * words
    end = len(data) - (data[-1] if first & 0x20 else 0)
    if at > end:
        return None
    return RtpFields(sequence, timestamp, ssrc, data[at:end], level)


def _level(profile: int, block: bytes, wanted: int) -> int | None:
    """The audio level in a block of header extensions, one-byte or two-byte form (RFC 8285 section 4)."""
    if profile != _ONE_BYTE_PROFILE and profile & 0xFFF0 != _TWO_BYTE_PROFILE:
        return None
    at = 0
    while at < len(block):
        if block[at] == 0:
            at += 1
            continue
        if profile == _ONE_BYTE_PROFILE:
            found, length, at = block[at] >> 4, (block[at] & 0x0F) + 1, at + 1
        elif at + 1 < len(block):
            found, length, at = block[at], block[at + 1], at + 2
        else:
            return None
        if found == wanted:
            return level_of_extension_dbov(block[at : at + length])
        at += length
    return None


def rtp_packet(
    payload_type: int, sequence: int, timestamp: int, ssrc: int, contributing: tuple[int, ...], payload: bytes
) -> bytes:
    """An RTP packet; `contributing` is the CSRC list, at most 15 (RFC 3550 section 5.1)."""
    sources = contributing[:15]
    head = _FIXED.pack(0x80 | len(sources), payload_type, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc)
    return head + struct.pack(f"!{len(sources)}I", *sources) + payload


def ntp_of_unix(unix_s: float) -> int:
    """A wall-clock time as the 64-bit NTP timestamp of sender reports."""
    return int((unix_s + _NTP_UNIX_OFFSET_S) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF


class Reception:
    """How well a sender's packets arrive: the numbers of a receiver report (RFC 3550 appendix A.3 and A.8).

    Browsers raise the share of Opus' in-band FEC with the loss that they are told here.
    """

    def __init__(self) -> None:
        self._ssrc: int | None = None
        self._forget()

    def _forget(self) -> None:
        self._base = self._highest = self._received = 0
        self._expected_before = self._received_before = 0
        self._jitter = 0.0
        self._transit: float | None = None
        self._sender_report = 0
        self._sender_report_at_s = 0.0

    def hear(self, fields: RtpFields, now_s: float) -> None:
        """Counts a packet that arrived."""
        if fields.ssrc != self._ssrc:
            self._ssrc = fields.ssrc
            self._forget()
            self._base = self._highest = fields.sequence
        step = (fields.sequence - self._highest) & 0xFFFF
        if step < 0x8000:
            self._highest += step
        self._received += 1
        transit = now_s * SAMPLE_RATE - fields.timestamp
        if self._transit is not None and abs(transit - self._transit) < SAMPLE_RATE:
            self._jitter += (abs(transit - self._transit) - self._jitter) / 16
        self._transit = transit

    def hear_control(self, data: bytes, now_s: float) -> None:
        """Takes the sender's report out of an RTCP packet, if it starts with one."""
        if len(data) >= 28 and data[1] == _SENDER_REPORT:
            self._sender_report = struct.unpack_from("!I", data, 10)[0]
            self._sender_report_at_s = now_s

    def block(self, now_s: float) -> bytes:
        """The 24-byte report block, empty when nothing was heard yet."""
        if self._ssrc is None:
            return b""
        expected = self._highest - self._base + 1
        lost = max(-0x800000, min(0x7FFFFF, expected - self._received))
        expected_now = expected - self._expected_before
        lost_now = expected_now - (self._received - self._received_before)
        fraction = _told_fraction(lost_now, expected_now)
        self._expected_before, self._received_before = expected, self._received
        since = int((now_s - self._sender_report_at_s) * 65536) if self._sender_report else 0
        return struct.pack(
            "!IIIIII",
            self._ssrc,
            fraction << 24 | lost & 0xFFFFFF,
            self._highest & 0xFFFFFFFF,
            int(self._jitter) & 0xFFFFFFFF,
            self._sender_report,
            since & 0xFFFFFFFF,
        )


# libopus at 32 kbit/s puts copies of earlier frames (FEC) into its packets only once its sender hears of 6% loss
# (measured, docs/benchmarks.md): told of 3%, it sends none, and every frame that is lost is a guess.
_FRACTION_WORTH_COPIES = 256 * 8 // 100


def _told_fraction(lost: int, expected: int) -> int:
    """The loss that the sender is told of, in 256ths: the truth, or what makes it protect itself."""
    if lost <= 0 or expected <= 0:
        return 0
    return min(255, max((lost << 8) // expected, _FRACTION_WORTH_COPIES))


def control_packet(
    ssrc: int, name: str, reception: bytes, sent: tuple[int, int, int] | None, unix_s: float
) -> bytes:
    """A compound RTCP packet: a sender report (a receiver report while nothing was sent), and our CNAME.

    `sent` is (RTP timestamp that goes with `unix_s`, packets, bytes) of our stream; `reception` 0 or 24 bytes.
    """
    count = len(reception) // 24
    if sent is None:
        body = struct.pack("!I", ssrc) + reception
        kind = _RECEIVER_REPORT
    else:
        timestamp, packets, octets = sent
        body = struct.pack(
            "!IQIII", ssrc, ntp_of_unix(unix_s), timestamp & 0xFFFFFFFF, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF
        )
        body += reception
        kind = _SENDER_REPORT
    report = struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body
    item = struct.pack("!IBB", ssrc, 1, len(name)) + name.encode("ascii")
    item += b"\0" * (4 - len(item) % 4)
    return report + struct.pack("!BBH", 0x81, _SOURCE_DESCRIPTION, len(item) // 4) + item


def reported_loss_percent(data: bytes, ssrc: int) -> float | None:
    """What share of our packets a receiver lost lately, from the report in an RTCP packet; None without one.

    `ssrc` is our stream's (RFC 3550 section 6.4).
    """
    if len(data) < 8 or data[1] not in (_SENDER_REPORT, _RECEIVER_REPORT):
        return None
    first = 28 if data[1] == _SENDER_REPORT else 8
    for at in range(first, min(len(data) - 23, first + 24 * (data[0] & 0x1F)), 24):
        if struct.unpack_from("!I", data, at)[0] == ssrc:
            return data[at + 4] * 100 / 256
    return None
