"""What of a peer's datagrams is let in, decided before anything costly (STUN parsing, SRTP, decoding) is done.

Pure; the time is an argument. A peer that floods spends its own allowance only, and costs a few microseconds a
datagram.
"""

_DATAGRAM_BYTES_MAX = 1500
_SSRCS_MAX = 8
_RTP_HEADER_BYTES = 12


class TokenBucket:
    """Lets `per_second` things through on average, `burst` at once."""

    def __init__(self, per_second: float, burst: float) -> None:
        self._per_ms = per_second / 1000
        self._burst = burst
        self._tokens = burst
        self._at_ms: float | None = None

    def take(self, now_ms: float) -> bool:
        """Whether one more may pass now."""
        if self._at_ms is not None:
            self._tokens = min(self._burst, self._tokens + (now_ms - self._at_ms) * self._per_ms)
        self._at_ms = now_ms
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class IncomingGate:
    """The allowance of one peer. First bytes tell STUN, DTLS and RTP apart (RFC 7983)."""

    def __init__(self, payload_type: int) -> None:
        self.refused = 0
        self._payload_type = payload_type
        self._all = TokenBucket(per_second=400, burst=400)
        # 100 packets a second are 10 ms of sound each, the shortest that browsers send.
        self._sound = TokenBucket(per_second=105, burst=60)
        self._control = TokenBucket(per_second=50, burst=100)
        self._ssrcs: set[bytes] = set()

    def admit(self, data: bytes, now_ms: float) -> bool:
        """Whether this datagram is worth handling."""
        admitted = self._all.take(now_ms) and 0 < len(data) <= _DATAGRAM_BYTES_MAX and self._kind(data, now_ms)
        self.refused += not admitted
        return admitted

    def _kind(self, data: bytes, now_ms: float) -> bool:
        first = data[0]
        if first < 4:
            return True
        if 20 <= first < 64:
            return self._control.take(now_ms)
        if 128 <= first < 192 and len(data) >= _RTP_HEADER_BYTES:
            if 192 <= data[1] <= 208:
                return self._control.take(now_ms)
            return data[1] & 0x7F == self._payload_type and self._known_ssrc(data) and self._sound.take(now_ms)
        return False

    def _known_ssrc(self, data: bytes) -> bool:
        ssrc = data[8:12]
        if ssrc in self._ssrcs:
            return True
        if len(self._ssrcs) >= _SSRCS_MAX:
            # libsrtp keeps a stream for every SSRC it has seen: a flood of them would be memory.
            return False
        self._ssrcs.add(ssrc)
        return True
