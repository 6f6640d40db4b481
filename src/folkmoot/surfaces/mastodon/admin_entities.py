"""Mastodon's entities for reports and for moderators: JSON field = attribute name.

Source: https://docs.joinmastodon.org/entities/Report/, Admin_Account and Admin_Report. What Folkmoot knows besides
is in `folkmoot`. Addresses of clients are not kept, so `ip` is null.
"""

from typing import Any

import msgspec

from folkmoot.surfaces.mastodon.entities import Account, CredentialRole
from folkmoot.surfaces.mastodon.status_entities import Status


class Report(msgspec.Struct, kw_only=True):
    """A report, as its reporter sees it."""

    id: str
    action_taken: bool
    action_taken_at: str | None
    category: str
    comment: str
    forwarded: bool = False
    created_at: str
    status_ids: list[str]
    rule_ids: list[str] = []
    target_account: Account


class Sanction(msgspec.Struct, kw_only=True):
    """One decision about an account. Names without @; null for the server itself."""

    id: str
    standing: str
    reason: str
    until: str | None
    decided_by: str | None
    decided_at: str
    lifted_by: str | None
    lifted_at: str | None


class ModeratedSpace(msgspec.Struct, kw_only=True):
    """A Space, for a link."""

    id: str
    title: str
    state: str
    url: str


class SignUpHint(msgspec.Struct, kw_only=True):
    """What a sign-up has in common with another account: a reason to look, never a verdict. `kind`: mailbox,
    browser or address; `sureness`: likely, possible or weak; `since`: when the other's sanction was decided."""

    kind: str
    sureness: str
    sentence: str
    account_id: str
    username: str
    standing: str
    since: str | None
    seen_at: str


class Successor(msgspec.Struct, kw_only=True):
    """Somebody to whom a live Space can be handed over: a co-host, or a speaker on stage."""

    id: str
    username: str
    role: str


class LiveSpace(msgspec.Struct, kw_only=True):
    """A Space that is live and hosted by an account: what is to become of it if its host is suspended?"""

    id: str
    title: str
    url: str
    successors: list[Successor]


class AccountDetails(msgspec.Struct, kw_only=True):
    """What is told of one account, and not of each in a list."""

    sanctions: list[Sanction]
    sessions_count: int
    programs_count: int
    open_reports_count: int
    reports_count: int
    spaces: list[ModeratedSpace]  # the newest ten that it opened
    live_spaces: list[LiveSpace]  # that it hosts now
    hints: list[SignUpHint]


class AccountExtension(msgspec.Struct, kw_only=True):
    """The standing as it is now, and, of one account, its history."""

    standing: str
    reason: str
    until: str | None
    details: AccountDetails | None = None


class AdminAccount(msgspec.Struct, kw_only=True):
    """An account, as moderators see it. `disabled`: locked by the system; `silenced`: limited."""

    id: str
    username: str
    domain: str | None = None
    created_at: str
    email: str | None
    ip: str | None = None
    ips: list[Any] = []
    locale: str | None = None
    invite_request: str | None
    role: CredentialRole
    confirmed: bool = True
    approved: bool
    disabled: bool
    silenced: bool
    suspended: bool
    sensitized: bool = False
    account: Account
    folkmoot: AccountExtension


class ReportedMedia(msgspec.Struct, kw_only=True):
    """A file of a reported post, with the description that it had. `url`: for moderators, as long as the report is
    kept; null for what was reported before files were."""

    id: str
    type: str
    description: str
    url: str | None


class ReportedVersion(msgspec.Struct, kw_only=True):
    """What a post said, as plain text. `since`: when it came to say that."""

    since: str
    text: str
    spoiler_text: str
    poll: list[str]
    media: list[ReportedMedia]


class ReportedPost(ReportedVersion, kw_only=True):
    """A post as it was when it was reported. `now`: as_reported, changed or deleted. `versions`: all else that it
    said, before and since, the first first."""

    id: str
    visibility: str
    created_at: str
    now: str
    versions: list[ReportedVersion]


class ReportExtension(msgspec.Struct, kw_only=True):
    """What a report is about beyond posts: a Space, a moment in it (ms of its timeline), a clip's range (ms).
    `posts` and `space_title` are as they were when it was made."""

    posts: list[ReportedPost]
    space: ModeratedSpace | None
    space_title: str | None
    at_ms: int | None
    clip: tuple[int, int] | None
    resolution: str | None


class AdminReport(msgspec.Struct, kw_only=True):
    """A report, as moderators see it. `account` made it; null when that account is gone."""

    id: str
    action_taken: bool
    action_taken_at: str | None
    category: str
    comment: str
    forwarded: bool = False
    created_at: str
    updated_at: str
    account: AdminAccount | None
    target_account: AdminAccount
    assigned_account: AdminAccount | None
    action_taken_by_account: AdminAccount | None
    statuses: list[Status]
    rules: list[Any] = []
    folkmoot: ReportExtension
