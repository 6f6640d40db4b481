"""A file, as plain data."""

import msgspec

from folkmoot.gate import Facts, Kind, Reach, Subject
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


class MediaDetails(msgspec.Struct, frozen=True):
    """What is known of a sound. `waveform` holds peaks of 0–255, one for each `waveform_step_ms`."""

    duration_ms: int
    bitrate: int = 0  # bit/s
    waveform: tuple[int, ...] = ()
    waveform_step_ms: int = 100
    taken_out: tuple[TakenOut, ...] = ()


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
