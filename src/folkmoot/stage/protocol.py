"""What the stage process and its clients (web, worker) say to each other over a unix stream socket.

Every frame is a 4-byte big-endian length and that many bytes of MessagePack. A client sends `Request`s, the stage
answers each with a `Reply` of the same id, and pushes `Pushed` events in between. Decoding is strict: what does not
fit the types is an error to its sender and nothing else.
"""

import struct
from typing import Annotated

import msgspec

from folkmoot.stage.engine import EngineStatus, SeatState

VERSION = 1
"""Raised with every change that a stage, or a client of one, of the version before would not understand: after an
upgrade without a restart, stages of another version are started anew instead of being kept."""
FRAME_BYTES_MAX = 256 * 1024
HEADER = struct.Struct("!I")

SeatNumber = Annotated[int, msgspec.Meta(ge=1, lt=2**32)]
SeatNumbers = Annotated[list[SeatNumber], msgspec.Meta(max_length=10_000)]
Total = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
CALLS_MAX = 32
CallHint = Annotated[str, msgspec.Meta(max_length=16)]
Reaction = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]

Stamp = tuple[str, int]
"""(subject, counter): the right under which something is held, and the revocation counter it was given under."""


class Offer(msgspec.Struct, frozen=True, tag="offer"):
    """A seat's SDP offer; answered by `Answered`. `stamps` are what the connection's lease hangs on.

    `continues`: it goes on for what began with this connection, and is not to take the place of anything else
    (`TakenOver`).
    """

    seat: SeatNumber
    sdp: str
    stamps: list[Stamp]
    continues: str | None = None


class Listen(msgspec.Struct, frozen=True, tag="listen"):
    """An SDP offer of somebody who only hears the full mix; answered by `Answered`, or `Busy` beyond the most.

    `address`: where it comes from. Nobody gets far with many offers from one that are never followed up.
    """

    sdp: str
    stamps: list[Stamp]
    address: str


class Hangup(msgspec.Struct, frozen=True, tag="hangup"):
    """The seat leaves; answered by `Done`."""

    seat: SeatNumber


class Close(msgspec.Struct, frozen=True, tag="close"):
    """One connection ends, a seat's or a listener's; answered by `Done`."""

    connection: str


class Configure(msgspec.Struct, frozen=True, tag="configure"):
    """The desired state, whole: who may be on stage, who is muted, the version of the roster, and the calls that
    listeners are to hear, which mean nothing to the stage. Idempotent."""

    muted: SeatNumbers
    seats_allowed: SeatNumbers
    roster: Total
    calls: Annotated[list[CallHint], msgspec.Meta(max_length=CALLS_MAX)] = msgspec.field(default_factory=list)


class NoteCounts(msgspec.Struct, frozen=True, tag="note"):
    """Counts that travel in the tape's notes: who listens now, connected and, as an estimate, by HLS; reactions as
    totals since the start."""

    listeners: Total
    reactions: Annotated[dict[Reaction, Total], msgspec.Meta(max_length=64)]
    listeners_estimated: Total = 0


class Status(msgspec.Struct, frozen=True, tag="status"):
    """Asks for `StageStatus`."""


class End(msgspec.Struct, frozen=True, tag="end"):
    """The Space is over: close every seat, finish the tape, answer `Done`, exit 0."""


Call = Offer | Listen | Hangup | Close | Configure | NoteCounts | Status | End


class Request(msgspec.Struct, frozen=True):
    """One call; `id` is the client's own number and comes back in the reply."""

    id: int
    call: Call


class Answered(msgspec.Struct, frozen=True, tag="answered"):
    """The SDP answer to an `Offer` or `Listen`, and the name of the connection that it began."""

    sdp: str
    connection: str


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The call was carried out."""


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """The offer cannot be answered; the sentence is for the person who sent it."""

    sentence: str


class TakenOver(msgspec.Struct, frozen=True, tag="taken_over"):
    """The offer was to continue a connection, and the seat is heard by a newer one."""


class Busy(msgspec.Struct, frozen=True, tag="busy"):
    """As many listen here as may."""


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The call was malformed or something broke; the sentence is for the log."""

    sentence: str


class StageStatus(msgspec.Struct, frozen=True, tag="status"):
    """Figures of a stage process. Totals since it started; `cpu_s` is user and system time of the process.

    `generation` is the Unix time in ms at which it started: another one is another process, which knows no peer of
    the one before.
    """

    generation: int
    timeline_ms: int
    tape_full: bool
    recorder_lost_frames: int
    cpu_s: float
    uptime_s: float
    engine: EngineStatus


Result = Answered | Done | Refused | TakenOver | Busy | Failed | StageStatus


class Reply(msgspec.Struct, frozen=True, tag="reply"):
    """The answer to the request with this id; id 0 answers a frame that had no readable id."""

    id: int
    result: Result


class SeatChanged(msgspec.Struct, frozen=True, tag="seat"):
    """A seat's connection changed at this point of the Space's timeline."""

    seat: int
    state: SeatState
    at_ms: int


class TapeFullNow(msgspec.Struct, frozen=True, tag="tape_full"):
    """The tape cannot be written (the disk is full): the talk goes on, what is said now is not kept."""

    at_ms: int


class TapeOkAgain(msgspec.Struct, frozen=True, tag="tape_ok"):
    """The tape is being written again; what was missed is silence on it."""

    at_ms: int


class ListenersChanged(msgspec.Struct, frozen=True, tag="listeners"):
    """So many listeners are connected to this stage itself."""

    count: int


Event = SeatChanged | ListenersChanged | TapeFullNow | TapeOkAgain


class Pushed(msgspec.Struct, frozen=True, tag="event"):
    """An event, sent to every connected client."""

    event: Event


FromStage = Reply | Pushed

_encoder = msgspec.msgpack.Encoder()
_request_decoder = msgspec.msgpack.Decoder(Request)
_from_stage_decoder: msgspec.msgpack.Decoder[FromStage] = msgspec.msgpack.Decoder(FromStage)


class FrameError(ValueError):
    """A frame that is too long, or whose content is not what it must be. The message is a sentence."""


def encode_frame(message: Request | Reply | Pushed) -> bytes:
    """Length header and body. Raises FrameError when the message is longer than a frame may be."""
    body = _encoder.encode(message)
    if len(body) > FRAME_BYTES_MAX:
        raise FrameError(f"The message has {len(body)} bytes; a frame carries at most {FRAME_BYTES_MAX}.")
    return HEADER.pack(len(body)) + body


def frame_length(header: bytes) -> int:
    """Bytes of the body that follows this 4-byte header. Raises FrameError when no frame is that long."""
    length: int = HEADER.unpack(header)[0]
    if length > FRAME_BYTES_MAX:
        raise FrameError(f"A frame of {length} bytes was announced; at most {FRAME_BYTES_MAX} are read.")
    return length


def decode_request(body: bytes) -> Request:
    """What a client sent. Raises FrameError."""
    try:
        return _request_decoder.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise FrameError(f"The frame is not a request: {error}.") from error


def decode_from_stage(body: bytes) -> FromStage:
    """What the stage sent. Raises FrameError."""
    try:
        return _from_stage_decoder.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise FrameError(f"The frame is not from a stage: {error}.") from error
