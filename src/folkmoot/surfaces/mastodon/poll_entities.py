"""Mastodon's entity for polls: https://docs.joinmastodon.org/entities/Poll/."""

import msgspec

from folkmoot.surfaces.mastodon.entities import CustomEmoji


class PollOption(msgspec.Struct, kw_only=True):
    """`votes_count` is null as long as nobody may know."""

    title: str
    votes_count: int | None


class Poll(msgspec.Struct, kw_only=True):
    """A question. `own_votes` are the numbers of the options that the viewer chose; who asks counts as `voted`."""

    id: str
    expires_at: str
    expired: bool
    multiple: bool
    votes_count: int
    voters_count: int | None
    options: list[PollOption]
    emojis: list[CustomEmoji] = []
    voted: bool = False
    own_votes: list[int] = []
