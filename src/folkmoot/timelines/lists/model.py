"""Lists as plain data."""

from enum import StrEnum

import msgspec


class RepliesPolicy(StrEnum):
    """To whom replies are shown in a list; the values are those of the Mastodon API."""

    LIST = "list"
    FOLLOWED = "followed"
    NONE = "none"


class List(msgspec.Struct, frozen=True):
    """One of somebody's lists. Shown to them only. Who is in an exclusive one is not shown in home."""

    id: int
    account_id: int
    title: str
    replies_policy: RepliesPolicy
    exclusive: bool
