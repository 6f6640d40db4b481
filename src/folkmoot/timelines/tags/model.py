"""Tags as plain data. A name is folded (`posts.text.folded_tag`)."""

import msgspec

from folkmoot.gate import Facts


class DayOfUse(msgspec.Struct, frozen=True):
    """How often a tag was used on a day, and by how many."""

    day: int  # days since 1970, UTC
    uses: int
    accounts: int


class FeaturedTag(msgspec.Struct, frozen=True):
    """A tag on somebody's profile, with what they posted under it for everybody."""

    id: int
    account_id: int
    name: str
    uses: int
    last_post_id: int | None

    def gate_facts(self) -> Facts:
        return Facts((self.account_id,))
