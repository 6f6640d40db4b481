"""What may be a trend, as plain data: kept for minutes, and admitted by the gate anew for each who asks."""

import msgspec

from folkmoot.gate import Facts


class Use(msgspec.Struct, frozen=True):
    """That somebody used a tag or a link in a post for everybody. It counts while they are shown to everybody."""

    what: str
    account_id: int
    post_id: int

    def gate_facts(self) -> Facts:
        return Facts((self.account_id,))


class Candidates(msgspec.Struct, frozen=True):
    """The strongest first. Of a tag or link those of its uses that count, the newest of each person."""

    tags: dict[str, tuple[Use, ...]] = {}
    links: dict[str, tuple[Use, ...]] = {}
    post_ids: tuple[int, ...] = ()
