"""Custom emoji as plain data."""

import msgspec


class Emoji(msgspec.Struct, frozen=True):
    """A picture of the operator's. `static_key` is that of its first picture, where it moves; else the same."""

    id: int
    shortcode: str
    category: str | None
    visible_in_picker: bool
    content_type: str
    object_key: str
    static_key: str
    size_bytes: int
