"""What is taken, what is made of it, and what a child process says to the one that started it. Plain data.

The limits are Mastodon's own (https://docs.joinmastodon.org/user/posting/#media), which clients have got used to.
"""

from enum import StrEnum
from typing import Literal

import msgspec

IMAGE_BYTES_MAX = 16 * 1024 * 1024
FILE_BYTES_MAX = 99 * 1024 * 1024
IMAGE_PIXELS_MAX = 33_177_600
"""Of what is uploaded; 7680 × 4320."""
SHOWN_PIXELS_MAX = 8_294_400
"""Of what is kept; 3840 × 2160."""
SMALL_PIXELS_MAX = 230_400
"""Of a preview; 640 × 360."""
VIDEO_PIXELS_MAX = 8_294_400
VIDEO_SHOWN_PIXELS_MAX = 1920 * 1080
VIDEO_FRAMES_PER_S_MAX = 120
VIDEO_SHOWN_FRAMES_PER_S_MAX = 60
VIDEO_S_MAX = 600
AUDIO_S_MAX = 4 * 3600
ANIMATION_FRAMES_MAX = 1_500
ANIMATION_PIXELS_MAX = 1_000_000_000
"""Of all frames of an animation together."""
AVATAR_SIDE_PIXELS = 400
HEADER_PIXELS = (1500, 500)
EMOJI_SIDE_PIXELS_MAX = 128
WAVEFORM_POINTS = 200

Kind = Literal["image", "gifv", "video", "audio"]


class Purpose(StrEnum):
    """What a file is uploaded as."""

    ATTACHMENT = "attachment"
    PREVIEW = "preview"  # in place of the preview that was made
    AVATAR = "avatar"
    HEADER = "header"
    EMOJI = "emoji"


class Unusable(Exception):
    """The file can't be taken; the message is a sentence for whoever uploaded it."""


class Piece(msgspec.Struct, frozen=True):
    """One file that was made, by its name in the folder that it was made in. Sizes in pixels, 0 for sound."""

    name: str
    content_type: str
    width: int = 0
    height: int = 0

    @property
    def extension(self) -> str:
        """Without a dot: what some players go by."""
        return self.name.rpartition(".")[2]


class Processed(msgspec.Struct, frozen=True, kw_only=True):
    """What was made of an upload. `waveform` holds peaks of 0–255, `waveform_step_ms` apart.

    `small`: a preview; of an avatar, a header or an emoji, the picture that doesn't move.
    """

    kind: Kind
    original: Piece
    small: Piece | None = None
    blurhash: str | None = None
    duration_ms: int = 0
    bitrate: int = 0  # bit/s
    frame_rate: str = ""  # "30/1"
    has_sound: bool = False
    waveform: tuple[int, ...] = ()
    waveform_step_ms: int = 100


class Confined(msgspec.Struct, frozen=True, tag="confined"):
    """The first word of a child: which of the kernel's means hold it."""

    by: tuple[str, ...]


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """How much is done, in percent."""

    percent: int


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The last word of a child that has made something."""

    processed: Processed


class Refusal(msgspec.Struct, frozen=True, tag="refusal"):
    """The last word of a child that has not."""

    sentence: str


Word = Confined | Progress | Done | Refusal
