"""Days, and what is counted on them. Pure."""

from datetime import UTC, date, datetime
from enum import StrEnum
from itertools import pairwise

import msgspec

from folkmoot.gate import invalid

DAY_MS = 86_400_000
DAYS_MAX = 92
MONTHS_MAX = 24
_LAST_MS = 32_503_680_000_000  # the year 3000: calendars and ids end some time after it
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


class Measure(StrEnum):
    """What is counted by days; the values are those of the Mastodon API."""

    ACTIVE_USERS = "active_users"  # who wrote something or signed in
    NEW_USERS = "new_users"
    INTERACTIONS = "interactions"  # favourites, boosts, replies
    OPENED_REPORTS = "opened_reports"
    RESOLVED_REPORTS = "resolved_reports"
    TAG_ACCOUNTS = "tag_accounts"
    TAG_USES = "tag_uses"
    TAG_SERVERS = "tag_servers"
    INSTANCE_ACCOUNTS = "instance_accounts"
    INSTANCE_MEDIA_ATTACHMENTS = "instance_media_attachments"  # bytes
    INSTANCE_REPORTS = "instance_reports"
    INSTANCE_STATUSES = "instance_statuses"
    INSTANCE_FOLLOWS = "instance_follows"
    INSTANCE_FOLLOWERS = "instance_followers"


class Dimension(StrEnum):
    """By what things are counted; the values are those of the Mastodon API."""

    LANGUAGES = "languages"
    SOURCES = "sources"
    SERVERS = "servers"
    SPACE_USAGE = "space_usage"
    SOFTWARE_VERSIONS = "software_versions"
    TAG_SERVERS = "tag_servers"
    TAG_LANGUAGES = "tag_languages"
    INSTANCE_ACCOUNTS = "instance_accounts"
    INSTANCE_LANGUAGES = "instance_languages"


class Days(msgspec.Struct, frozen=True):
    """Whole days (UTC) in a row: from `first` on, before `end`, both counted from 1970-01-01."""

    first: int
    end: int

    @property
    def count(self) -> int:
        return self.end - self.first

    @property
    def before(self) -> "Days":
        """As many, just before them."""
        return Days(self.first - self.count, self.first)


class Figure(msgspec.Struct, frozen=True):
    """How much there was in all, in as many days before, and on each day, from the first on."""

    total: int
    before: int
    by_day: tuple[int, ...]


class Share(msgspec.Struct, frozen=True):
    """How often something was found."""

    key: str
    count: int


class Cohort(msgspec.Struct, frozen=True):
    """Those who came within one bucket: `active` are how many of them were in it, and in each after it."""

    size: int
    active: tuple[int, ...]


def days_of(start_ms: int, end_ms: int) -> Days:
    """From the day of one time to that of another, both with it. Raises Refused 422 for too many, or none."""
    _require_known(start_ms, end_ms)
    days = Days(start_ms // DAY_MS, end_ms // DAY_MS + 1)
    if not 0 < days.count <= DAYS_MAX or days.before.first < 0:
        raise invalid(f"from start_at to end_at are 1 to {DAYS_MAX} days")
    return days


def buckets(start_ms: int, end_ms: int, *, monthly: bool) -> list[Days]:
    """The days, or the months, from that of one time to that of another. Raises Refused 422 for too many."""
    if not monthly:
        days = days_of(start_ms, end_ms)
        return [Days(day, day + 1) for day in range(days.first, days.end)]
    _require_known(start_ms, end_ms)
    first, last = (_month_of(at_ms) for at_ms in (start_ms, end_ms))
    if not 0 <= last - first < MONTHS_MAX:
        raise invalid(f"from start_at to end_at are 1 to {MONTHS_MAX} months")
    begins = [_first_of(month) for month in range(first, last + 2)]
    return [Days(begin, end) for begin, end in pairwise(begins)]


def _require_known(*times_ms: int) -> None:
    if not all(0 <= one < _LAST_MS for one in times_ms):
        raise invalid("start_at and end_at lie between 1970 and 2999")


def _month_of(at_ms: int) -> int:
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    return moment.year * 12 + moment.month - 1


def _first_of(month: int) -> int:
    return date(month // 12, month % 12 + 1, 1).toordinal() - _EPOCH_ORDINAL
