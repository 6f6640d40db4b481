"""All custom emoji in the memory of a process: every page of posts asks for some."""

from collections.abc import Iterable, Iterator

from folkmoot.posts.emojis import queries
from folkmoot.posts.emojis.model import Emoji
from folkmoot.posts.emojis.rules import shortcodes_in
from folkmoot.storage.database import Database


class EmojiBook:
    """Empty until it is read; read anew at each `actions.EMOJIS_CHANGED`."""

    def __init__(self) -> None:
        self._by_shortcode: dict[str, Emoji] = {}

    async def read_anew(self, database: Database) -> None:
        async with database.read() as read:
            self._by_shortcode = {one.shortcode: one for one in await queries.every(read)}

    def __iter__(self) -> Iterator[Emoji]:
        return iter(self._by_shortcode.values())

    def __contains__(self, shortcode: str) -> bool:
        return shortcode in self._by_shortcode

    def get(self, shortcode: str) -> Emoji | None:
        return self._by_shortcode.get(shortcode)

    def named_in(self, texts: Iterable[str]) -> list[Emoji]:
        """Those that texts name, each once."""
        if not self._by_shortcode:
            return []
        named = dict.fromkeys(shortcode for text in texts for shortcode in shortcodes_in(text))
        return [self._by_shortcode[shortcode] for shortcode in named if shortcode in self._by_shortcode]
