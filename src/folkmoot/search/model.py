"""What is searched for, as plain data."""

import msgspec

from folkmoot.gate import Facts
from folkmoot.storage.words import Phrase


class Span(msgspec.Struct, frozen=True):
    """A time, from its first millisecond to before its last, open where None."""

    from_ms: int | None = None
    to_ms: int | None = None


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody typed, understood. Words and labels are as the index keeps them."""

    wanted: tuple[Phrase, ...] = ()
    unwanted: tuple[Phrase, ...] = ()
    authors: tuple[str, ...] = ()  # their names as typed, without the first `@`; `me` is who asks
    other_authors: tuple[str, ...] = ()  # who must not be it
    within: tuple[Span, ...] = ()
    outside: tuple[Span, ...] = ()
    only_library: bool = False  # one's own, what one marked, and what one is named in
    finds_nothing: bool = False

    @property
    def asks_something(self) -> bool:
        return bool(self.wanted or self.authors or self.within or self.only_library) and not self.finds_nothing


class Tagged(msgspec.Struct, frozen=True):
    """That somebody used a tag in a post for everybody. It counts while they are shown to everybody."""

    name: str
    account_id: int

    def gate_facts(self) -> Facts:
        return Facts((self.account_id,))
