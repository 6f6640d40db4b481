"""How often one address may ask to listen: a token bucket each (pure; the time is an argument)."""

from __future__ import annotations

import ipaddress

import msgspec

JOINS_PER_SECOND = 20.0
JOINS_BURST = 300
ADDRESSES_MAX = 50_000


class _Bucket(msgspec.Struct, gc=False):
    tokens: float
    filled_s: float


class JoinLimiter:
    """An office behind one address joins at once (the burst) and reconnects (the rate); a flood does not.

    IPv6 addresses count by their /64, the least that one customer is given (RFC 6177). At most `addresses_max`
    addresses are remembered, the most recent ones.
    """

    def __init__(
        self,
        per_second: float = JOINS_PER_SECOND,
        burst: int = JOINS_BURST,
        addresses_max: int = ADDRESSES_MAX,
    ) -> None:
        assert per_second > 0
        assert burst >= 1
        self._per_second = per_second
        self._burst = burst
        self._addresses_max = addresses_max
        self._buckets: dict[str, _Bucket] = {}

    def take(self, address: str, now_s: float) -> float:
        """Takes one join. 0.0 when it is granted, else the seconds until the next one would be."""
        key = network_of(address)
        bucket = self._buckets.pop(key, None) or _Bucket(float(self._burst), now_s)
        self._buckets[key] = bucket  # last in the order of use
        if len(self._buckets) > self._addresses_max:
            del self._buckets[next(iter(self._buckets))]
        gained = max(0.0, now_s - bucket.filled_s) * self._per_second
        bucket.tokens = min(float(self._burst), bucket.tokens + gained)
        bucket.filled_s = now_s
        if bucket.tokens < 1.0:
            return (1.0 - bucket.tokens) / self._per_second
        bucket.tokens -= 1.0
        return 0.0


def network_of(address: str) -> str:
    """What shares a bucket: an IPv4 address (also one mapped into IPv6), an IPv6 /64, or the text as it is."""
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address)
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return parsed.packed[:8].hex()
