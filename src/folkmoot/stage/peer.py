"""One seat's WebRTC connection. Of aiortc only DTLS and SRTP are used here: no tracks, no codecs, no threads."""

import asyncio
import contextlib
import ipaddress
import random
import time
from collections.abc import Callable
from typing import cast

import aioice.stun
import pylibsrtp
from aiortc.rtcdtlstransport import (
    RTCCertificate,
    RTCDtlsParameters,
    RTCDtlsTransport,
    SRTPProtectionProfile,
)
from aiortc.rtcicetransport import RTCIceTransport
from aiortc.rtp import is_rtcp
from OpenSSL import SSL

from folkmoot.stage.admission import IncomingGate
from folkmoot.stage.engine import OfferRefused
from folkmoot.stage.ice import IceSettings, IceTransport, StageConnection
from folkmoot.stage.offer import AnswerFacts, ReadOffer, write_answer
from folkmoot.stage.rtp import Reception, RtpFields, control_packet, parse_rtp, reported_loss_percent, rtp_packet

CONNECT_TIMEOUT_S = 15.0
SILENT_TIMEOUT_S = 10.0
_WATCH_INTERVAL_S = 1.0
_SAMPLES_PER_TICK = 960
_CNAME = "stage"
_FIRST_BYTE_OF_RTP = 128
_LOSS_KEPT = 0.8
_CIPHERS = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:"
    b"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305"
)

Receive = Callable[[RtpFields, float], None]
"""Called with each sound packet that passed, and the monotonic ms at which it came."""


def monotonic_ms() -> float:
    """Milliseconds of the monotonic clock, with fractions."""
    return time.monotonic() * 1000


class StageCertificate(RTCCertificate):
    """Our certificate, for peers whose own may be an RSA one (GStreamer's are).

    aiortc, when it begins the handshake, offers only ciphers for ECDSA certificates, and such a peer finds none.
    """

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        context = super()._create_ssl_context(srtp_profiles)
        context.set_cipher_list(_CIPHERS)
        return context


class _SoundTransport(RTCDtlsTransport):
    """DTLS-SRTP that hands decrypted packets to us instead of to aiortc's receivers.

    Sound takes the short way, from the socket through SRTP to us; the way through aiortc's queue and task costs
    more than the decryption. Control and DTLS go the usual way. What is used here aiortc counts as private:
    `tests/stage/test_private_names.py` notices if it moves.
    """

    def __init__(self, ice: IceTransport, certificate: RTCCertificate, peer: "Peer") -> None:
        # It only ever sends, receives and asks for the role; RTCIceTransport would add an event layer to that.
        super().__init__(cast(RTCIceTransport, ice), [certificate])
        self._peer = peer

    def take_sound(self, data: bytes) -> bool:
        """Decrypts an RTP packet and hands it to the peer; False for what isn't sound, or came before the keys."""
        if data[0] < _FIRST_BYTE_OF_RTP or is_rtcp(data) or self._rx_srtp is None:
            return False
        with contextlib.suppress(pylibsrtp.Error):  # forged, replayed or broken: dropped
            self._peer.hear_sound(self._rx_srtp.unprotect(data))
        return True

    def protect(self, packet: bytes) -> bytes:
        """An RTP packet as SRTP; only once connected."""
        protected: bytes = self._tx_srtp.protect(packet)
        return protected

    async def _handle_rtp_data(self, data: bytes, arrival_time_ms: int) -> None:
        """Only what was queued while the handshake ended comes here; the packets after it are already heard."""

    async def _handle_rtcp_data(self, data: bytes) -> None:
        self._peer.hear_control(data)


class Peer:
    """A connection from its offer to its end. `answer`, then `run` until it is over, `close` at any time."""

    def __init__(
        self, offer: ReadOffer, settings: IceSettings, certificate: RTCCertificate, receive: Receive
    ) -> None:
        self.gate = IncomingGate(offer.payload_type)
        self.connected = False
        self.loss_percent = 0.0
        self._offer = offer
        self._certificate = certificate
        self._receive = receive
        self._ice = StageConnection(settings, self.gate, monotonic_ms, controlling=offer.ice_lite)
        self._transport = IceTransport(self._ice)
        self._dtls = _SoundTransport(self._transport, certificate, self)
        self._ice.take_sound = self._dtls.take_sound
        self._dtls._set_role("server" if offer.remote_is_dtls_client else "client")
        self._ssrc = random.getrandbits(32)
        # The lower half: SRTP's rollover counter must not turn before the receiver has heard the first packets.
        self._sequence = random.getrandbits(15)
        self._sent: tuple[int, int, int] | None = None
        self._reception = Reception()
        self._gone = asyncio.Event()
        self._closing = False

    async def answer(self) -> str:
        """Gathers our candidates and writes the SDP answer. Raises OfferRefused when no UDP port is free."""
        await self._ice.gather_candidates()
        candidates = self._ice.advertised()
        if not candidates:
            raise OfferRefused("The stage has no free UDP port for another connection.")
        first = candidates[0]
        # A browser without IPv6 still reads the address in the m-line of older profiles: prefer IPv4 there.
        for one in candidates:
            if ipaddress.ip_address(one.host).version == 4:
                first = one
                break
        prints = {one.algorithm: one.value for one in self._certificate.getFingerprints()}
        facts = AnswerFacts(
            ssrc=self._ssrc,
            ice_name=self._ice.local_username,
            ice_password=self._ice.local_password,
            fingerprint_sha256=prints["sha-256"],
            candidates=[one.to_sdp() for one in candidates],
            address=first.host,
            port=first.port,
        )
        return write_answer(self._offer, facts)

    async def run(self, on_connected: Callable[[], None]) -> None:
        """Connects and stays until the peer is gone: closed, failed, or silent for 10 s. Never raises for that."""
        with contextlib.suppress(TimeoutError, ConnectionError, aioice.stun.TransactionError):
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._connect()
            if self._dtls.state == "connected" and not self._closing:
                self.connected = True
                on_connected()
                await self._watch()
        self.connected = False

    def send(self, payload: bytes, tick: int, speaking: tuple[int, ...]) -> None:
        """Sends one 20 ms Opus packet; `speaking` becomes its CSRC list. A connection that just broke is fine."""
        if not self.connected:
            return
        timestamp = tick * _SAMPLES_PER_TICK
        packet = rtp_packet(self._offer.payload_type, self._sequence, timestamp, self._ssrc, speaking, payload)
        self._sequence += 1
        _, packets, octets = self._sent or (0, 0, 0)
        self._sent = (timestamp, packets + 1, octets + len(payload))
        self._ice.send_now(self._dtls.protect(packet))

    async def close(self) -> None:
        """Ends the connection: nothing is heard or sent from this moment. Idempotent."""
        self.connected = False
        if self._closing:
            return
        self._closing = True
        self._gone.set()
        with contextlib.suppress(ConnectionError):
            await self._dtls.stop()
        await self._ice.close()

    def hear_sound(self, data: bytes) -> None:
        """A decrypted RTP packet; called by the transport."""
        if self._closing:
            return
        fields = parse_rtp(data, self._offer.level_extension_id)
        if fields is None or self._offer.direction == "sendonly":
            return
        now_ms = monotonic_ms()
        self._reception.hear(fields, now_ms / 1000)
        self._receive(fields, now_ms)

    def hear_control(self, data: bytes) -> None:
        """A decrypted RTCP packet; called by the transport."""
        self._reception.hear_control(data, time.monotonic())
        lost = reported_loss_percent(data, self._ssrc)
        if lost is not None:
            # Losses come in bursts: what was reported lasts a while.
            self.loss_percent = max(lost, self.loss_percent * _LOSS_KEPT)

    async def _connect(self) -> None:
        await self._ice.add_candidates(self._offer.candidates)
        self._ice.remote_is_lite = self._offer.ice_lite
        self._ice.remote_username = self._offer.ice_name
        self._ice.remote_password = self._offer.ice_password
        await self._ice.connect()
        self._dtls.on("statechange", self._on_dtls_state)
        await self._dtls.start(RTCDtlsParameters(fingerprints=self._offer.fingerprints))

    def _on_dtls_state(self) -> None:
        if self._dtls.state in ("closed", "failed"):
            self._gone.set()

    async def _watch(self) -> None:
        """Reports each second how the sound arrives, and returns when the peer is gone."""
        while not self._gone.is_set():
            silent_s = (monotonic_ms() - self._ice.heard_ms) / 1000
            if silent_s >= SILENT_TIMEOUT_S:
                return
            with contextlib.suppress(ConnectionError):
                await self._dtls._send_rtp(self._report())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_WATCH_INTERVAL_S):
                    await self._gone.wait()

    def _report(self) -> bytes:
        block = self._reception.block(time.monotonic())
        return control_packet(self._ssrc, _CNAME, block, self._sent, time.time())
