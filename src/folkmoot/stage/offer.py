"""Reading an SDP offer and writing the answer. Pure: text in, text out.

Joining is WHIP-shaped (RFC 9725): one offer with a microphone in it, one complete answer, nothing trickled. Of all
that an offer holds only its first usable audio section is answered; everything else is declined (port 0, RFC 3264).
"""

import ipaddress
import re
from collections.abc import Sequence
from typing import Literal

import msgspec
from aiortc.rtcdtlstransport import X509_DIGEST_ALGORITHMS, RTCDtlsFingerprint
from aiortc.rtcicetransport import RTCIceCandidate
from aiortc.sdp import MediaDescription, SessionDescription

from folkmoot.stage.engine import OfferRefused

OFFER_CHARACTERS_MAX = 20_000
_LINES_MAX = 500
_SECTIONS_MAX = 10
_CANDIDATES_MAX = 32
_LEVEL_URI = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
_MID = re.compile(r"[A-Za-z0-9_.+\-]{1,32}")
_ICE_NAME = re.compile(r"[A-Za-z0-9+/]{4,256}")
_ICE_PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,256}")
_OPUS_RATE = 48_000
_PROFILE = "UDP/TLS/RTP/SAVPF"
_BROKEN = "The offer is not a valid SDP description."

Direction = Literal["sendrecv", "sendonly", "recvonly"]
_ANSWERED: dict[str, Direction] = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly"}


class _Transport(msgspec.Struct, frozen=True):
    """What carries a section: ICE names, DTLS role and fingerprints, candidates."""

    ice_name: str
    ice_password: str
    ice_lite: bool
    role: str
    fingerprints: list[RTCDtlsFingerprint]
    candidates: list[RTCIceCandidate]


class Section(msgspec.Struct, frozen=True):
    """One media section, as much as is needed to decline it."""

    kind: str
    profile: str
    formats: str
    mid: str


class ReadOffer(msgspec.Struct, frozen=True):
    """An offer that can be answered. `direction` is already ours; `level_extension_id` is None without RFC 6464."""

    sections: list[Section]
    audio_index: int
    payload_type: int
    level_extension_id: int | None
    direction: Direction
    remote_is_dtls_client: bool
    ice_lite: bool
    ice_name: str
    ice_password: str
    fingerprints: list[RTCDtlsFingerprint]
    candidates: list[RTCIceCandidate]


class AnswerFacts(msgspec.Struct, frozen=True):
    """Our side of an answer. `candidates` are the values of `a=candidate`; address and port are the first one's."""

    ssrc: int
    ice_name: str
    ice_password: str
    fingerprint_sha256: str
    candidates: list[str]
    address: str
    port: int


def read_offer(sdp: str) -> ReadOffer:
    """What an offer asks for. Raises OfferRefused with a sentence for its sender, never anything else."""
    _check_size(sdp)
    try:
        description = SessionDescription.parse(sdp)
    except (AssertionError, AttributeError, IndexError, KeyError, StopIteration, TypeError, ValueError) as error:
        raise OfferRefused(_BROKEN) from error
    if not description.media:
        raise OfferRefused("The offer has no media sections.")
    index, payload_type = _choose_audio(description.media)
    audio = description.media[index]
    transport = _transport_of(description, audio)
    return ReadOffer(
        sections=[_section(one) for one in description.media],
        audio_index=index,
        payload_type=payload_type,
        level_extension_id=_level_extension(audio),
        direction=_ANSWERED[audio.direction or "sendrecv"],
        remote_is_dtls_client=transport.role == "client",
        ice_lite=transport.ice_lite,
        ice_name=transport.ice_name,
        ice_password=transport.ice_password,
        fingerprints=_known_fingerprints(transport.fingerprints),
        candidates=_usable_candidates(transport.candidates),
    )


def write_answer(offer: ReadOffer, facts: AnswerFacts) -> str:
    """The SDP answer: one audio section with Opus, every other section declined."""
    mid = offer.sections[offer.audio_index].mid
    lines = ["v=0", f"o=- {facts.ssrc} 2 IN IP4 127.0.0.1", "s=-", "t=0 0"]
    lines += [f"a=group:BUNDLE {mid}"] if mid else []
    lines.append("a=msid-semantic:WMS *")
    # For the declined sections too: GStreamer's WebRTC (1.22) takes no section without them.
    lines += _transport_lines(facts)
    for index, section in enumerate(offer.sections):
        lines += (
            _audio_lines(offer, facts) if index == offer.audio_index else _declined_lines(section, _role(offer))
        )
    return "\r\n".join(lines) + "\r\n"


def _check_size(sdp: str) -> None:
    if len(sdp) > OFFER_CHARACTERS_MAX:
        raise OfferRefused(f"The offer has {len(sdp)} characters; at most {OFFER_CHARACTERS_MAX} are read.")
    lines = sdp.splitlines()
    if not lines or not lines[0].startswith("v="):
        raise OfferRefused(_BROKEN)
    if sum(line.startswith("m=") for line in lines) > _SECTIONS_MAX:
        raise OfferRefused(f"The offer has more than {_SECTIONS_MAX} media sections; one with audio is enough.")
    if len(lines) > _LINES_MAX:
        raise OfferRefused(f"The offer has {len(lines)} lines; at most {_LINES_MAX} are read.")


def _choose_audio(media: Sequence[MediaDescription]) -> tuple[int, int]:
    """Index and Opus payload type of the first audio section that we can answer."""
    audio = [(index, one) for index, one in enumerate(media) if one.kind == "audio"]
    if not audio:
        raise OfferRefused("The offer has no audio.")
    usable = [(index, one) for index, one in audio if one.direction in (None, *_ANSWERED)]
    if not usable:
        raise OfferRefused("The offer's audio is inactive.")
    for index, one in usable:
        for codec in one.rtp.codecs:
            if codec.mimeType.lower() == "audio/opus" and codec.clockRate == _OPUS_RATE:
                _check_section(one)
                assert codec.payloadType is not None
                return index, codec.payloadType
    raise OfferRefused("The offer's audio has no codec we have: Opus at 48 kHz is needed.")


def _check_section(audio: MediaDescription) -> None:
    if audio.profile != _PROFILE:
        raise OfferRefused(f"The offer's audio does not use DTLS-SRTP ({_PROFILE}).")
    if not audio.rtcp_mux:
        raise OfferRefused("The offer's audio does not multiplex RTCP (a=rtcp-mux).")


def _transport_of(description: SessionDescription, audio: MediaDescription) -> _Transport:
    """The transport that carries the audio: its own, or that of the first of its BUNDLE group (RFC 9143)."""
    sections = [audio]
    for group in description.group:
        if group.semantic == "BUNDLE" and group.items and audio.rtp.muxId in group.items:
            sections += [one for one in description.media if one.rtp.muxId == group.items[0]]
    for one in sections:
        if one.ice is None or one.dtls is None or not one.dtls.fingerprints:
            continue
        name, password = one.ice.usernameFragment or "", one.ice.password or ""
        if _ICE_NAME.fullmatch(name) and _ICE_PASSWORD.fullmatch(password):
            fingerprints = one.dtls.fingerprints
            return _Transport(name, password, one.ice.iceLite, one.dtls.role, fingerprints, one.ice_candidates)
    raise OfferRefused("The offer's audio has no DTLS fingerprint, or no well-formed ICE user name and password.")


def _section(media: MediaDescription) -> Section:
    mid = media.rtp.muxId or ""
    if mid and not _MID.fullmatch(mid):
        raise OfferRefused(_BROKEN)
    kind = media.kind if media.kind in ("audio", "video", "application") else "application"
    return Section(kind=kind, profile=media.profile, formats=str(media.fmt[0]), mid=mid)


def _level_extension(audio: MediaDescription) -> int | None:
    for extension in audio.rtp.headerExtensions:
        if extension.uri == _LEVEL_URI and 0 < extension.id < 256:
            return int(extension.id)
    return None


def _known_fingerprints(offered: Sequence[RTCDtlsFingerprint]) -> list[RTCDtlsFingerprint]:
    known = [one for one in offered if one.algorithm.lower() in X509_DIGEST_ALGORITHMS]
    if not known:
        raise OfferRefused("The offer's DTLS fingerprint is not SHA-256, SHA-384 or SHA-512.")
    return known


def _usable_candidates(candidates: Sequence[RTCIceCandidate]) -> list[RTCIceCandidate]:
    """UDP candidates with a plain address. Names (mDNS, which hides a browser's address) are left out: the browser
    reaches us, and the address it comes from is learned then (RFC 8445 section 7.3.1.3)."""
    usable = [one for one in candidates if one.component == 1 and one.protocol.lower() == "udp"]
    return [one for one in usable if _is_reachable(one.ip) and 0 < one.port < 65536][:_CANDIDATES_MAX]


def _is_reachable(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return not (parsed.is_multicast or parsed.is_unspecified or address == "255.255.255.255")


def _audio_lines(offer: ReadOffer, facts: AnswerFacts) -> list[str]:
    version = ipaddress.ip_address(facts.address).version
    mid = offer.sections[offer.audio_index].mid
    payload_type = offer.payload_type
    lines = [
        f"m=audio {facts.port} {_PROFILE} {payload_type}",
        f"c=IN IP{version} {facts.address}",
        "a=rtcp:9 IN IP4 0.0.0.0",
        "a=rtcp-mux",
        f"a={offer.direction}",
        f"a=rtpmap:{payload_type} opus/48000/2",
        # usedtx: who says nothing sends next to nothing (RFC 7587, 6.1).
        f"a=fmtp:{payload_type} minptime=10;useinbandfec=1;usedtx=1",
        "a=ptime:20",
        "a=msid:stage mix",
        f"a=ssrc:{facts.ssrc} cname:stage",
        *_transport_lines(facts),
        _role(offer),
    ]
    if mid:
        lines.append(f"a=mid:{mid}")
    if offer.level_extension_id is not None:
        lines.append(f"a=extmap:{offer.level_extension_id} {_LEVEL_URI}")
    return [*lines, *(f"a=candidate:{one}" for one in facts.candidates), "a=end-of-candidates"]


def _transport_lines(facts: AnswerFacts) -> list[str]:
    return [
        f"a=ice-ufrag:{facts.ice_name}",
        f"a=ice-pwd:{facts.ice_password}",
        f"a=fingerprint:sha-256 {facts.fingerprint_sha256}",
    ]


def _role(offer: ReadOffer) -> str:
    return f"a=setup:{'passive' if offer.remote_is_dtls_client else 'active'}"


def _declined_lines(section: Section, role: str) -> list[str]:
    lines = [f"m={section.kind} 0 {section.profile} {section.formats}", "c=IN IP4 0.0.0.0", "a=inactive", role]
    return lines + ([f"a=mid:{section.mid}"] if section.mid else [])
