"""An account as a moderator sees it. Plain data."""

import msgspec

from folkmoot.accounts.model import Account
from folkmoot.gate import Facts, Role, Standing
from folkmoot.gate.model import Sanction


class Member(msgspec.Struct, frozen=True):
    """An account with what only moderators see: its e-mail address, and what it stands under now."""

    account: Account
    email: str | None
    sanction: Sanction
    kinds: frozenset[Standing]  # of every sanction that is in force, beside the one that decides

    def gate_facts(self) -> Facts:
        return Facts((self.account.id,))


class History(msgspec.Struct, frozen=True):
    """What is told of one account besides. Counts; sanctions the newest first."""

    sanctions: list[Sanction]
    sessions: int
    programs: int
    open_reports: int
    reports: int


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which accounts: by parts of what they are called, by what is in force against them, by role, by where they
    are from and who invited them. `is_nobody`: something was asked for that is true of none."""

    anything: str = ""  # in any of the three
    username: str = ""
    display_name: str = ""
    email: str = ""
    standing: Standing | None = None
    roles: frozenset[Role] = frozenset(Role)
    local: bool | None = None  # of this server, or of others
    host: str = ""
    invited_by: int | None = None
    is_nobody: bool = False
