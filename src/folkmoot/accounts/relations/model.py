"""What somebody chooses of another. Plain data."""

import msgspec


class Choices(msgspec.Struct, frozen=True):
    """What one wants to see of whom one follows. None: as it was, or at first everything and no notifications."""

    reblogs: bool | None = None
    notify: bool | None = None  # of every new post
    languages: tuple[str, ...] | None = None  # of posts; (): all
