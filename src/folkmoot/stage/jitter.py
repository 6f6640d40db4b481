"""An adaptive jitter buffer for one speaker's Opus packets. Pure: no clock, no codec, no I/O.

Packets go in as they come off the network (`push`), one decision comes out when the mixer wants sound (`pull`):
play this packet, rebuild a lost one from its successor (Opus in-band FEC), make something up (PLC), or nothing.
The buffer starts with 2 frames of delay, grows to 10 when packets come unevenly, and shrinks again by merging two
frames into one. `rate` says how fast the sound has to be played so that the sender's clock and ours stay in step.
Sequence numbers and timestamps follow RFC 3550, packet durations RFC 6716.
"""

from collections import deque
from enum import Enum

import msgspec

from folkmoot.stage.drift import DriftEstimator

SAMPLES_PER_MS = 48
FRAME_MS = 20
TARGET_FRAMES_MIN = 2
TARGET_FRAMES_MAX = 10

_PACKETS_HELD_MAX = 64
_STARVED_FRAMES_MAX = 5
_PAUSE_FRAMES_MAX = 25
_JUMP_PACKETS = 500
_TRANSITS_KEPT = 150
_TRANSITS_BETWEEN_ESTIMATES = 25
_TRANSIT_RESTART_MS = 1000
_DEPTHS_KEPT = 50
_DEPTH_SLACK_FRAMES = 1
_DEPTH_EXCESS_FRAMES = 6
_PULLS_BETWEEN_MERGES = 10
_DTX_BYTES_MAX = 2
_WAITS_PER_HOLE_MAX = 2
# 1.7 cents: nobody hears it, and a frame too much is gone after 20 s.
_CATCH_UP = 0.001


class Kind(Enum):
    """What to do for the sound that is due now."""

    PLAY = "play"
    """Decode `payload`."""
    MERGE = "merge"
    """Decode `payload`, then `following`, and cross-fade the first into the second: the buffer was too deep."""
    RECOVER = "recover"
    """This packet was lost: decode its copy from the successor in `payload` (in-band FEC)."""
    CONCEAL = "conceal"
    """Nothing to decode: let the decoder make up `duration_samples` (PLC, or comfort noise during DTX)."""
    NOTHING = "nothing"
    """The sender is not sending, or the buffer still fills."""


class Due(msgspec.Struct, frozen=True):
    """One decision. `level_dbov` is what the sender measured for the packet played, None when it didn't say.

    `last` marks the last sound before nothing comes: fade it out.
    """

    kind: Kind
    duration_samples: int = 0
    payload: bytes = b""
    following: bytes = b""
    level_dbov: int | None = None
    sequence: int = -1
    last: bool = False


class JitterCounts(msgspec.Struct):
    """Totals of one buffer, in packets or frames.

    `received`: packets accepted. `late`: packets that came after their turn was concealed or played. `duplicates`:
    packets that were here already. `fec`: lost frames rebuilt from the successor. `plc`: lost frames made up while
    later packets were at hand. `trimmed`: frames taken out because the buffer was too deep. `garbled`: packets that
    hold no sound (counted by the seat's source).

    `underruns`: frames made up because the buffer was *empty* when a frame was due, while the sender was talking,
    unmuted and connected (the caller says so by `talking`), and its last packet was not the start of a pause (DTX).
    Not counted: losses (fec, plc), the time the buffer first fills, and silence of somebody who says nothing.
    `buffered_samples_sum` over `pulls` is the mean depth after a pull.
    """

    received: int = 0
    late: int = 0
    duplicates: int = 0
    fec: int = 0
    plc: int = 0
    underruns: int = 0
    trimmed: int = 0
    garbled: int = 0
    pulls: int = 0
    buffered_samples_sum: int = 0

    def buffer_ms_mean(self) -> float:
        """Mean milliseconds of sound that waited after a pull, over all pulls that gave sound."""
        return self.buffered_samples_sum / SAMPLES_PER_MS / self.pulls if self.pulls else 0.0


class _Packet(msgspec.Struct, frozen=True):
    payload: bytes
    level_dbov: int | None
    duration_samples: int


def opus_duration_samples(payload: bytes) -> int:
    """Samples at 48 kHz in an Opus packet by its TOC byte, 0 when it is no valid packet (RFC 6716 section 3)."""
    if not payload:
        return 0
    config = payload[0] >> 3
    if config < 12:
        frame = (480, 960, 1920, 2880)[config & 3]
    elif config < 16:
        frame = (480, 960)[config & 1]
    else:
        frame = (120, 240, 480, 960)[config & 3]
    code = payload[0] & 3
    if code < 3:
        return frame * (1 if code == 0 else 2)
    if len(payload) < 2:
        return 0
    samples = frame * (payload[1] & 0x3F)
    return samples if samples <= 120 * SAMPLES_PER_MS else 0


class JitterBuffer:
    """One sender's packets, put in order and handed out at the mixer's pace."""

    def __init__(self) -> None:
        self.counts = JitterCounts()
        self._drift = DriftEstimator()
        self._transits_ms: deque[tuple[float, float]] = deque(maxlen=_TRANSITS_KEPT)
        self._depths: deque[int] = deque(maxlen=_DEPTHS_KEPT)
        self.restart()

    def restart(self) -> None:
        """Forgets all packets and the sender's numbering (it has a new SSRC); the counts stay."""
        self._packets: dict[int, _Packet] = {}
        self._highest: int | None = None
        self._next: int | None = None
        self._started = False
        self._first_arrival_ms = 0
        self._frame_samples = FRAME_MS * SAMPLES_PER_MS
        self._starved_frames = 0
        self._owed_frames = 0
        self._in_pause = False
        self._merged_at_pull = 0
        self._waits = 0
        self._fastest_ms = 0.0
        self._newest = (0.0, 0.0)
        self._jump_expected = -1
        self._timestamp_last = 0
        self._timestamp_turns = 0
        self.target_frames = TARGET_FRAMES_MIN
        self._transits_ms.clear()
        self._depths.clear()
        self._drift.restart()

    @property
    def drift(self) -> float:
        """How much faster the sender's clock runs than ours: 0.001 is a tenth of a percent."""
        return self._drift.drift

    @property
    def rate(self) -> float:
        """How many of the sender's samples to play for each of ours: 1 but for drift and a buffer too deep."""
        rate = 1 + self._drift.drift
        if len(self._depths) == _DEPTHS_KEPT and min(self._depths) > self.target_frames:
            rate += _CATCH_UP
        return rate

    @property
    def depth_frames(self) -> int:
        """Packets between the one due next and the newest, holes included."""
        if self._highest is None or self._next is None:
            return 0
        return max(0, self._highest - self._next + 1)

    def push(self, sequence: int, timestamp: int, payload: bytes, level_dbov: int | None, now_ms: float) -> None:
        """Takes a packet off the network: 16-bit sequence, 32-bit timestamp at 48 kHz, the Opus payload.

        A payload that is no Opus packet is ignored, as is one that comes twice or too late.
        """
        duration = opus_duration_samples(payload)
        if duration == 0:
            return
        extended = self._extend(sequence)
        if extended is None:
            return
        if self._next is not None and extended < self._next:
            self.counts.late += 1
            return
        if extended in self._packets:
            self.counts.duplicates += 1
            return
        if not self._packets:
            self._first_arrival_ms = int(now_ms)
        self._packets[extended] = _Packet(payload, level_dbov, duration)
        newest = self._highest is None or extended > self._highest
        self._highest = extended if newest else self._highest
        self._frame_samples = duration
        self.counts.received += 1
        self._measure(timestamp, now_ms, newest=newest)
        self._hold_at_most()

    def pull(self, now_ms: float, *, talking: bool) -> Due:
        """The decision for what is due now. `talking`: this sender speaks, unmuted and connected (underruns)."""
        if not self._started and not self._start(now_ms):
            return Due(Kind.NOTHING)
        assert self._next is not None
        if not self._packets or (self._in_pause and self._starved_frames > 0 and not self._filled(now_ms)):
            # After a pause the buffer fills anew, or every packet that is a little late would be missed.
            return self._starve(talking)
        self._shrink_at_once()
        self._skip_owed()
        due = self._take(now_ms)
        self._starved_frames = 0
        depth = self.depth_frames
        self._depths.append(depth)
        self.counts.pulls += 1
        self.counts.buffered_samples_sum += depth * self._frame_samples
        return due

    def _take(self, now_ms: float) -> Due:
        assert self._next is not None
        sequence = self._next
        packet = self._packets.pop(sequence, None)
        if packet is None and self._may_come(now_ms):
            self._waits += 1
            self.counts.plc += 1
            return Due(Kind.CONCEAL, self._frame_samples)
        self._waits = 0
        following = self._packets.get(sequence + 1)
        self._next = sequence + 1
        if packet is None:
            if following is None:
                self.counts.plc += 1
                return Due(Kind.CONCEAL, self._frame_samples, sequence=sequence)
            self.counts.fec += 1
            return Due(
                Kind.RECOVER, following.duration_samples, following.payload, b"", following.level_dbov, sequence
            )
        self._in_pause = len(packet.payload) <= _DTX_BYTES_MAX
        if following is not None and self._too_deep() and packet.duration_samples == following.duration_samples:
            del self._packets[sequence + 1]
            self._next = sequence + 2
            self._depths = deque((depth - 1 for depth in self._depths), maxlen=_DEPTHS_KEPT)
            self._merged_at_pull = self.counts.pulls
            self.counts.trimmed += 1
            level = following.level_dbov
            duration = packet.duration_samples
            return Due(Kind.MERGE, duration, packet.payload, following.payload, level, sequence + 1)
        return Due(Kind.PLAY, packet.duration_samples, packet.payload, b"", packet.level_dbov, sequence)

    def _may_come(self, now_ms: float) -> bool:
        """Whether the missing packet is likely late, not lost: jitter grew, and the delay hasn't followed yet.

        What is made up for it then also deepens the buffer, where skipping it would leave the next ones late too.
        """
        if self._waits >= _WAITS_PER_HOLE_MAX:
            return False
        arrival_ms, transit_ms = self._newest
        frame_ms = self._frame_samples / SAMPLES_PER_MS
        delay_ms = (self.depth_frames - 1) * frame_ms + transit_ms - self._fastest_ms + now_ms - arrival_ms
        return delay_ms < self.target_frames * FRAME_MS

    def _start(self, now_ms: float) -> bool:
        if not self._packets or not self._filled(now_ms):
            return False
        self._next = min(self._packets)
        self._started = True
        self._starved_frames = self._owed_frames = 0
        self._depths.clear()
        return True

    def _filled(self, now_ms: float) -> bool:
        """Whether as much is at hand as jitter asks for, or has had the time to come."""
        wanted = self.target_frames + 1
        if now_ms - self._first_arrival_ms >= wanted * FRAME_MS:
            return True
        return self._highest is not None and self._highest - min(self._packets) + 1 >= wanted

    def _starve(self, talking: bool) -> Due:
        self._starved_frames += 1
        limit = _PAUSE_FRAMES_MAX if self._in_pause else _STARVED_FRAMES_MAX
        if not self._in_pause:
            self._owed_frames += 1
            if talking:
                self.counts.underruns += 1
        last = self._starved_frames >= limit
        if last:
            self._started = False
        return Due(Kind.CONCEAL, self._frame_samples, last=last)

    def _skip_owed(self) -> None:
        """Passes over holes that were already made up while the buffer was empty: no second concealment."""
        assert self._next is not None
        while self._owed_frames > 0 and self._packets and self._next not in self._packets:
            self._next += 1
            self._owed_frames -= 1
        self._owed_frames = 0

    def _shrink_at_once(self) -> None:
        """After a stall a burst arrives: what is deeper than any jitter we would wait for is dropped."""
        assert self._next is not None
        assert self._highest is not None
        if self.depth_frames <= TARGET_FRAMES_MAX + _DEPTH_EXCESS_FRAMES:
            return
        resume = self._highest - self.target_frames
        for sequence in [held for held in self._packets if held < resume]:
            del self._packets[sequence]
            self.counts.trimmed += 1
        self._next = resume
        self._owed_frames = 0
        self._depths.clear()

    def _too_deep(self) -> bool:
        if len(self._depths) < _DEPTHS_KEPT or self.counts.pulls - self._merged_at_pull < _PULLS_BETWEEN_MERGES:
            return False
        return min(self._depths) > self.target_frames + _DEPTH_SLACK_FRAMES

    def _extend(self, sequence: int) -> int | None:
        """The sequence number without its wrap, None when it is a jump that no second packet has confirmed."""
        if self._highest is None:
            return sequence + 0x10000
        step = (sequence - self._highest) & 0xFFFF
        step = step - 0x10000 if step >= 0x8000 else step
        if abs(step) < _JUMP_PACKETS:
            self._jump_expected = -1
            return self._highest + step
        if sequence == self._jump_expected:
            # Two in a row (RFC 3550 appendix A.1): the sender began anew.
            self.restart()
            return sequence + 0x10000
        self._jump_expected = (sequence + 1) & 0xFFFF
        self.counts.late += 1
        return None

    def _measure(self, timestamp: int, now_ms: float, *, newest: bool) -> None:
        """Keeps how long packets took, relative to each other, and sets the target from the spread."""
        back = (timestamp - self._timestamp_last) & 0xFFFFFFFF
        if self._transits_ms and timestamp < self._timestamp_last and back < 0x80000000:
            self._timestamp_turns += 1
        self._timestamp_last = timestamp
        transit_ms = now_ms - (timestamp + (self._timestamp_turns << 32)) / SAMPLES_PER_MS
        if self._transits_ms and abs(transit_ms - self._transits_ms[-1][1]) > _TRANSIT_RESTART_MS:
            self._transits_ms.clear()
            self._drift.forget()
        if not self._transits_ms:
            self._fastest_ms = transit_ms
        self._transits_ms.append((now_ms, transit_ms))
        if newest:
            self._newest = (now_ms, transit_ms)
        self._drift.hear(transit_ms, now_ms)
        if self.counts.received % _TRANSITS_BETWEEN_ESTIMATES == 0:
            drift = self._drift.drift
            ordered = sorted(transit + drift * at_ms for at_ms, transit in self._transits_ms)
            spread_ms = ordered[(len(ordered) - 1) * 97 // 100] - ordered[0]
            self._fastest_ms = ordered[0] - drift * now_ms
            frames = int(-(-spread_ms // FRAME_MS)) + 1
            self.target_frames = min(max(frames, TARGET_FRAMES_MIN), TARGET_FRAMES_MAX)

    def _hold_at_most(self) -> None:
        while len(self._packets) > _PACKETS_HELD_MAX:
            oldest = min(self._packets)
            del self._packets[oldest]
            self.counts.trimmed += 1
            if self._next is not None:
                self._next = max(self._next, oldest + 1)
