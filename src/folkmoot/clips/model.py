"""Clips: ranges of Spaces that somebody kept. Plain data."""

import msgspec

CLIP_MS_MIN = 1_000
CLIP_MS_MAX = 120_000


class Clip(msgspec.Struct, frozen=True, kw_only=True):
    """The range `[start_ms, end_ms)` of a Space's timeline, cut by an account.

    It has no gate facts of its own. Its sound is shown where the account's file is shown (`posts.model.Media`) and
    the Space is: both go through the gate. Who spoke in it does not matter: what was said belongs to the evening.
    """

    id: int
    space_id: int
    account_id: int
    start_ms: int
    end_ms: int
    created_at_ms: int
