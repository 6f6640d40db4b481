"""Tags as Mastodon's JSON: https://docs.joinmastodon.org/entities/Tag/ and FeaturedTag/."""

from collections.abc import Sequence
from urllib.parse import quote

import msgspec

from folkmoot.gate import Visible
from folkmoot.storage.ids import time_of
from folkmoot.surfaces.mastodon.present import timestamp
from folkmoot.surfaces.services import Site
from folkmoot.timelines.tags import model
from folkmoot.timelines.tags.queries import DAY_MS, HISTORY_DAYS


class DayOfUse(msgspec.Struct):
    """A day's uses; all three are strings of digits, `day` Unix seconds of its midnight in UTC."""

    day: str
    uses: str
    accounts: str


class Tag(msgspec.Struct, kw_only=True):
    """A tag with its last seven days, the newest first. Who is signed in is told `following` and `featuring`."""

    name: str
    url: str
    history: list[DayOfUse]
    following: bool | msgspec.UnsetType = msgspec.UNSET
    featuring: bool | msgspec.UnsetType = msgspec.UNSET


class FeaturedTag(msgspec.Struct, kw_only=True):
    """A tag on a profile."""

    id: str
    name: str
    url: str
    statuses_count: str
    last_status_at: str | None  # a date


def tag(
    name: str,
    used: Sequence[model.DayOfUse],
    site: Site,
    now_ms: int,
    *,
    following: bool | None = None,
    featuring: bool | None = None,
) -> Tag:
    """Names and numbers: nobody's words."""
    return Tag(
        name=name,
        url=f"{site.base_url}/tags/{quote(name)}",
        history=history(used, now_ms),
        following=msgspec.UNSET if following is None else following,
        featuring=msgspec.UNSET if featuring is None else featuring,
    )


def history(used: Sequence[model.DayOfUse], now_ms: int) -> list[DayOfUse]:
    """Each of the last seven days, also those without a use."""
    by_day = {one.day: one for one in used}
    today = now_ms // DAY_MS
    return [
        DayOfUse(str(day * DAY_MS // 1000), str(one.uses) if one else "0", str(one.accounts) if one else "0")
        for day in range(today, today - HISTORY_DAYS, -1)
        for one in [by_day.get(day)]
    ]


def featured(visible: Visible[model.FeaturedTag], url: str) -> FeaturedTag:
    item = visible.item
    return FeaturedTag(
        id=str(item.id),
        name=item.name,
        url=url,
        statuses_count=str(item.uses),
        last_status_at=timestamp(time_of(item.last_post_id))[:10] if item.last_post_id is not None else None,
    )
