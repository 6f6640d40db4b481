"""Mastodon's numbers for moderators: methods/admin/measures, dimensions and retention of https://docs.joinmastodon.org.

All of them are counted when they are asked for, over at most three months.
"""

import platform
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar import Request, post

from folkmoot import __version__
from folkmoot.gate import Action, Permit, Serves, invalid
from folkmoot.moderation.figures import queries
from folkmoot.moderation.figures.model import DAY_MS, Days, Dimension, Figure, Measure, Share, buckets, days_of
from folkmoot.storage.database import Read
from folkmoot.surfaces.http import parse, serves
from folkmoot.surfaces.mastodon.about import LANGUAGES
from folkmoot.surfaces.mastodon.admin_networks import reading_to_moderate
from folkmoot.surfaces.mastodon.present import timestamp
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.times import parse_time

PATH = "/api/v1/admin"
LIMIT, LIMIT_MAX = 10, 100
_READ = serves(Serves.MODERATOR, Action.MODERATE, "admin:read")
# There is nothing before in these: what came from elsewhere is not taken for growth.
_WITHOUT_BEFORE = frozenset(one for one in Measure if one.value.startswith("instance_"))
_ABOUT = {"tag": "id", "instance": "domain"}
_UNITS = ("Bytes", "KB", "MB", "GB", "TB")
_KILO = 1024


class OnDay(msgspec.Struct):
    date: str
    value: str


class AdminMeasure(msgspec.Struct, omit_defaults=True):
    """https://docs.joinmastodon.org/entities/Admin_Measure/. Numbers as text."""

    key: str
    unit: str | None
    total: str
    data: list[OnDay]
    human_value: str | msgspec.UnsetType = msgspec.UNSET
    previous_total: str | msgspec.UnsetType = msgspec.UNSET


class DimensionItem(msgspec.Struct, omit_defaults=True):
    key: str
    human_key: str
    value: str
    unit: str | msgspec.UnsetType = msgspec.UNSET
    human_value: str | msgspec.UnsetType = msgspec.UNSET


class AdminDimension(msgspec.Struct):
    """https://docs.joinmastodon.org/entities/Admin_Dimension/"""

    key: str
    data: list[DimensionItem]


class Rate(msgspec.Struct):
    date: str
    rate: float
    value: str


class AdminCohort(msgspec.Struct):
    """https://docs.joinmastodon.org/entities/Admin_Cohort/"""

    period: str
    frequency: str
    data: list[Rate]


class AskFigures(msgspec.Struct):
    """Which figures, and from when to when; times of the day are left alone. `tag_uses[id]` and the like name the
    tag, `instance_accounts[domain]` and the like the host."""

    keys: list[str] = []
    start_at: str | None = None
    end_at: str | None = None
    limit: int | None = None
    tag_accounts: dict[str, str] = {}
    tag_uses: dict[str, str] = {}
    tag_servers: dict[str, str] = {}
    tag_languages: dict[str, str] = {}
    instance_accounts: dict[str, str] = {}
    instance_media_attachments: dict[str, str] = {}
    instance_reports: dict[str, str] = {}
    instance_statuses: dict[str, str] = {}
    instance_follows: dict[str, str] = {}
    instance_followers: dict[str, str] = {}
    instance_languages: dict[str, str] = {}

    def about(self, key: str) -> str | None:
        """What a figure is about; empty for one that is about the server, None where it isn't said."""
        name = _ABOUT.get(key.partition("_")[0])
        said: dict[str, str] = getattr(self, key) if name is not None else {}
        return "" if name is None else (said.get(name) or "").lower() or None


class AskRetention(msgspec.Struct):
    """`frequency`: `month`, or whatever else for days."""

    start_at: str | None = None
    end_at: str | None = None
    frequency: str = "day"


@post(f"{PATH}/measures", opt=_READ, status_code=200)
async def measures(request: Request[Any, Any, Any], permit: Permit, services: Services) -> list[AdminMeasure]:
    """How much there was in all and on each day, for at most 92 days. Keys that there are not are left out."""
    asked = await parse(request, AskFigures)
    days = _days(asked)
    async with reading_to_moderate(services, permit) as read:
        return [
            _measure(which, days, await queries.measure(read, which, days, about))
            for which, about in _wanted(asked, Measure)
        ]


@post(f"{PATH}/dimensions", opt=_READ, status_code=200)
async def dimensions(request: Request[Any, Any, Any], permit: Permit, services: Services) -> list[AdminDimension]:
    """What is most frequent, for at most 92 days (30 where none are said); `limit` is 10, or up to 100."""
    asked = await parse(request, AskFigures)
    days = _days(asked, services.clock_ms())
    limit = max(1, min(asked.limit or LIMIT, LIMIT_MAX))
    async with reading_to_moderate(services, permit) as read:
        return [
            AdminDimension(which.value, await _dimension(read, which, days, limit, about))
            for which, about in _wanted(asked, Dimension)
        ]


@post(f"{PATH}/retention", opt=_READ, status_code=200)
async def retention(request: Request[Any, Any, Any], permit: Permit, services: Services) -> list[AdminCohort]:
    """Of those who signed up on each of at most 92 days, or in 24 months, how many were active then and later."""
    asked = await parse(request, AskRetention)
    if not asked.start_at or not asked.end_at:
        return []
    frequency = "month" if asked.frequency == "month" else "day"
    start_ms, end_ms = parse_time(asked.start_at, "start_at"), parse_time(asked.end_at, "end_at")
    among = buckets(start_ms, end_ms, monthly=frequency == "month")
    async with reading_to_moderate(services, permit) as read:
        found = await queries.cohorts(read, among)
    return [
        AdminCohort(
            _date(among[number].first),
            frequency,
            [
                Rate(_date(bucket.first), active / cohort.size if cohort.size else 0.0, str(active))
                for bucket, active in zip(among[number:], cohort.active, strict=True)
            ],
        )
        for number, cohort in enumerate(found)
    ]


def _wanted(asked: AskFigures, kind: Any) -> list[tuple[Any, str]]:
    """Each once, with what it is about. What there is not, or is about nothing, is left out, as in Mastodon."""
    known = [kind(key) for key in dict.fromkeys(asked.keys) if key in set(kind)]
    return [(which, about) for which in known if (about := asked.about(which.value)) is not None]


def _days(asked: AskFigures, now_ms: int | None = None) -> Days:
    """Raises Refused 422. `now_ms`: the month until then, where nothing else is said."""
    if asked.start_at and asked.end_at:
        return days_of(parse_time(asked.start_at, "start_at"), parse_time(asked.end_at, "end_at"))
    if now_ms is None:
        raise invalid("start_at and end_at are needed")
    return days_of(now_ms - 29 * DAY_MS, now_ms)


def _measure(which: Measure, days: Days, found: Figure) -> AdminMeasure:
    is_bytes = which is Measure.INSTANCE_MEDIA_ATTACHMENTS
    return AdminMeasure(
        key=which.value,
        unit="bytes" if is_bytes else None,
        total=str(found.total),
        human_value=_readable(found.total) if is_bytes else msgspec.UNSET,
        previous_total=msgspec.UNSET if which in _WITHOUT_BEFORE else str(found.before),
        data=[OnDay(_date(days.first + number), str(count)) for number, count in enumerate(found.by_day)],
    )


async def _dimension(read: Read, which: Dimension, days: Days, limit: int, about: str) -> list[DimensionItem]:
    if which in _OF_THE_SERVER:
        return await _OF_THE_SERVER[which](read)
    found = await queries.dimension(read, which, days, limit, about)
    return [DimensionItem(one.key, _called(which, one), str(one.count)) for one in found]


def _called(which: Dimension, share: Share) -> str:
    if which in (Dimension.LANGUAGES, Dimension.TAG_LANGUAGES, Dimension.INSTANCE_LANGUAGES):
        return LANGUAGES.get(share.key, share.key)
    return "Website" if which is Dimension.SOURCES and share.key == "web" else share.key


async def _space(read: Read) -> list[DimensionItem]:
    _, size_bytes = await queries.database(read)
    sizes = (
        ("database", "SQLite" if read.is_sqlite else "PostgreSQL", size_bytes),
        ("media", "Media storage", await queries.stored_bytes(read)),
    )
    return [DimensionItem(key, name, str(size), "bytes", _readable(size)) for key, name, size in sizes]


async def _versions(read: Read) -> list[DimensionItem]:
    version, _ = await queries.database(read)
    known = (
        ("folkmoot", "Folkmoot", __version__),
        ("python", "Python", platform.python_version()),
        ("sqlite", "SQLite", version) if read.is_sqlite else ("postgresql", "PostgreSQL", version),
    )
    return [DimensionItem(key, name, number, human_value=number) for key, name, number in known]


_OF_THE_SERVER: dict[Dimension, Callable[[Read], Awaitable[list[DimensionItem]]]] = {
    Dimension.SPACE_USAGE: _space,
    Dimension.SOFTWARE_VERSIONS: _versions,
}


def _readable(size_bytes: int) -> str:
    size, unit = float(size_bytes), 0
    while size >= _KILO and unit < len(_UNITS) - 1:
        size, unit = size / _KILO, unit + 1
    return f"{size:.3g} {_UNITS[unit]}"


def _date(day: int) -> str:
    return timestamp(day * DAY_MS)


HANDLERS: list[Any] = [measures, dimensions, retention]
