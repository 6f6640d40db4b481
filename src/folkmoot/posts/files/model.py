"""A file, as plain data."""

import msgspec

from folkmoot.gate import Facts, Kind, Reach, Subject
from folkmoot.media.depot import Made, Stored
from folkmoot.posts.model import Circle, Visibility


class TakenOut(msgspec.Struct, frozen=True):
    """A stretch of a sound that is silent by a decision: where in the file, why, and as what somebody decided."""

    id: str
    from_ms: int
    to_ms: int
    kind: str
    sentence: str
    by_role: str
    at_ms: int


class MediaDetails(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of a file. `waveform` holds peaks of 0–255, one for each `waveform_step_ms`; `width` and
    `height` are in pixels, `frame_rate` is "30/1".

    While `percent` isn't None, it waits for its job or is being processed, and what is stored is the upload. Of one
    that couldn't be processed, `failure` says why.
    """

    duration_ms: int = 0
    bitrate: int = 0  # bit/s
    waveform: tuple[int, ...] = ()
    waveform_step_ms: int = 100
    taken_out: tuple[TakenOut, ...] = ()
    width: int = 0
    height: int = 0
    frame_rate: str = ""
    has_sound: bool = False
    blurhash: str | None = None
    focus: tuple[float, float] | None = None  # what is to stay in view, from the centre: -1 to 1, right and up
    preview: Stored | None = None
    preview_version: int = 0  # of those that its owner made; 0: the one that was made of it
    percent: int | None = None
    failure: str = ""

    @property
    def is_ready(self) -> bool:
        return self.percent is None and not self.failure


class Media(msgspec.Struct, frozen=True, kw_only=True):
    """A file of an account, on its own or attached to a post, with the post's reach."""

    id: int
    account_id: int
    kind: str
    content_type: str
    object_key: str
    size_bytes: int
    description: str
    details: MediaDetails
    created_at_ms: int
    post_id: int | None = None
    clip_id: int | None = None
    post_visibility: Visibility | None = None
    post_mentions: tuple[int, ...] = ()
    post_circle: Circle | None = None

    def gate_facts(self) -> Facts:
        """Attached, it is for whom its post is for; on its own, and after its post is gone, for its owner.

        A clip has to be looked at together with its Space as well: `clips.model.Clip`.
        """
        facts = self._facts()
        if self.clip_id is None:
            return facts
        return msgspec.structs.replace(facts, subjects=(Subject(Kind.CLIP, self.clip_id),))

    def _facts(self) -> Facts:
        if self.post_visibility is None:
            return Facts((self.account_id,), Reach.NAMED)
        if self.post_circle is not None and self.post_visibility is not Visibility.DIRECT:
            return self.post_circle.facts(self.account_id)
        return Facts((self.account_id,), self.post_visibility.reach, frozenset(self.post_mentions))

    @property
    def keys(self) -> list[str]:
        """Of all that is stored of it."""
        return [self.object_key, *([self.details.preview.key] if self.details.preview is not None else [])]


def folder_of(media_id: int) -> str:
    """Where the object store keeps what was made of an upload."""
    return f"files/{media_id}"


def upload_key(media_id: int) -> str:
    """Where it keeps the upload itself until it is processed."""
    return f"uploads/{media_id}"


_NOTHING = MediaDetails()


def details_of(made: Made, former: MediaDetails = _NOTHING) -> MediaDetails:
    """What was found out; a preview and a focus that its owner chose meanwhile stay."""
    processed = made.processed
    is_own = former.preview_version > 0
    return MediaDetails(
        duration_ms=processed.duration_ms,
        bitrate=processed.bitrate,
        waveform=processed.waveform,
        waveform_step_ms=processed.waveform_step_ms,
        width=processed.original.width,
        height=processed.original.height,
        frame_rate=processed.frame_rate,
        has_sound=processed.has_sound,
        blurhash=former.blurhash if is_own else processed.blurhash,
        focus=former.focus,
        preview=former.preview if is_own else made.small,
        preview_version=former.preview_version,
    )
