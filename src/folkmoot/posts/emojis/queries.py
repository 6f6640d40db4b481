"""Reads of custom emoji."""

from sqlalchemy import select

from folkmoot.posts.emojis.model import Emoji
from folkmoot.storage.database import Read
from folkmoot.storage.tables.reading import custom_emojis


async def every(read: Read) -> list[Emoji]:
    """All of them (`rules.EMOJIS_MAX`), by category and shortcode. One statement."""
    rows = await read.connection.execute(select(custom_emojis))
    found = [
        Emoji(
            row.id,
            row.shortcode,
            row.category,
            row.visible_in_picker,
            row.content_type,
            row.object_key,
            row.static_key,
            row.size_bytes,
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: (one.category or "", one.shortcode))
