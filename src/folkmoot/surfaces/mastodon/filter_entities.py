"""Filters as Mastodon's JSON: https://docs.joinmastodon.org/entities/Filter/ and its neighbours. They are their
owner's words, and shown to nobody else."""

import msgspec

from folkmoot.surfaces.mastodon.present import timestamp
from folkmoot.timelines.filters import model


class FilterKeyword(msgspec.Struct):
    """A word that a filter looks for."""

    id: str
    keyword: str
    whole_word: bool


class FilterStatus(msgspec.Struct):
    """A post that a filter finds, whatever is in it."""

    id: str
    status_id: str


class FilterOutline(msgspec.Struct, kw_only=True):
    """A filter without what it looks for."""

    id: str
    title: str
    context: list[str]
    expires_at: str | None
    filter_action: str


class Filter(FilterOutline, kw_only=True):
    """A filter whole."""

    keywords: list[FilterKeyword]
    statuses: list[FilterStatus]


class FilterResult(msgspec.Struct):
    """Why a post is filtered for the viewer: an entry of `Status.filtered`."""

    filter: FilterOutline
    keyword_matches: list[str] | None
    status_matches: list[str] | None


class FilterV1(msgspec.Struct):
    """A keyword as a filter of its own, as clients of the first version know it."""

    id: str
    phrase: str
    context: list[str]
    whole_word: bool
    expires_at: str | None
    irreversible: bool


def whole(item: model.Filter) -> Filter:
    return Filter(
        id=str(item.id),
        title=item.title,
        context=[context.value for context in item.contexts],
        expires_at=_expires(item),
        filter_action=item.action.value,
        keywords=[keyword(one) for one in item.keywords],
        statuses=[status(one) for one in item.statuses],
    )


def keyword(item: model.Keyword) -> FilterKeyword:
    return FilterKeyword(str(item.id), item.keyword, item.whole_word)


def status(entry: tuple[int, int]) -> FilterStatus:
    return FilterStatus(str(entry[0]), str(entry[1]))


def result(found: model.Found) -> FilterResult:
    outline = FilterOutline(
        id=str(found.filter.id),
        title=found.filter.title,
        context=[context.value for context in found.filter.contexts],
        expires_at=_expires(found.filter),
        filter_action=found.filter.action.value,
    )
    return FilterResult(outline, list(found.keywords) or None, [str(id_) for id_ in found.post_ids] or None)


def v1(item: model.Filter, one: model.Keyword) -> FilterV1:
    return FilterV1(
        id=str(one.id),
        phrase=one.keyword,
        context=[context.value for context in item.contexts],
        whole_word=one.whole_word,
        expires_at=_expires(item),
        irreversible=item.action is model.Treatment.HIDE,
    )


def _expires(item: model.Filter) -> str | None:
    return timestamp(item.expires_at_ms) if item.expires_at_ms is not None else None
