"""What clients send when somebody writes, and the draft that it is."""

from typing import Any

import msgspec
from litestar import Request

from folkmoot.accounts.profiles.model import PostingDefaults
from folkmoot.gate import Refused, Viewer, invalid
from folkmoot.posts.model import Draft, PollDraft, QuotePolicy, Visibility
from folkmoot.posts.rules import SOURCE_CODE_POINTS_MAX
from folkmoot.posts.text import at_home
from folkmoot.surfaces.mastodon.paging import entity_id
from folkmoot.surfaces.services import Site


class AskedPoll(msgspec.Struct):
    """A question; `expires_in` is in seconds."""

    options: list[str]
    expires_in: int | str
    multiple: bool | None = None
    hide_totals: bool | None = None


class Written(msgspec.Struct):
    """What a post says. Clients send ids as strings or numbers, and empty strings for nothing."""

    status: str | None = None
    media_ids: list[str | int] | None = None
    poll: AskedPoll | None = None
    sensitive: bool | None = None
    spoiler_text: str | None = None
    language: str | None = None
    quote_approval_policy: str | None = None


class CreateStatus(Written):
    """A new post."""

    in_reply_to_id: str | int | None = None
    visibility: str | None = None
    scheduled_at: str | None = None
    quoted_status_id: str | int | None = None


def words(asked: Written, site: Site) -> Draft:
    """What a post is to say. Raises Refused 422."""
    source = asked.status or ""
    return Draft(
        # What is longer is refused soon, and not looked through before.
        source=at_home(source, site.domain) if len(source) <= SOURCE_CODE_POINTS_MAX else source,
        spoiler_text=asked.spoiler_text or "",
        sensitive=asked.sensitive or False,
        language=asked.language or None,
        media_ids=tuple(media_id(given) for given in asked.media_ids or []),
        poll=_poll(asked.poll) if asked.poll is not None else None,
    )


def draft(
    asked: CreateStatus, request: Request[Any, Any, Any], viewer: Viewer, defaults: PostingDefaults, site: Site
) -> Draft:
    """A new post, with what its author said once for all. Raises Refused 422."""
    try:
        visibility = Visibility(asked.visibility or defaults.privacy)
    except ValueError as error:
        raise invalid("Visibility is public, unlisted, private or direct") from error
    return msgspec.structs.replace(
        words(asked, site),
        visibility=visibility,
        sensitive=defaults.sensitive if asked.sensitive is None else asked.sensitive,
        language=asked.language or defaults.language,
        in_reply_to_id=_post_id(asked.in_reply_to_id),
        quoted_id=_post_id(asked.quoted_status_id),
        quote_policy=quote_policy(asked.quote_approval_policy or defaults.quote_policy),
        idempotency_key=request.headers.get("idempotency-key") or None,
        application_id=viewer.application_id,
    )


def quote_policy(given: str) -> QuotePolicy:
    """Raises Refused 422."""
    try:
        return QuotePolicy(given)
    except ValueError as error:
        raise invalid("Quote approval policy is public, followers or nobody") from error


def media_id(given: str | int) -> int:
    """Raises Refused 422."""
    try:
        return entity_id(str(given))
    except Refused as refusal:
        raise invalid("A media file does not exist") from refusal


def _post_id(given: str | int | None) -> int | None:
    return entity_id(str(given)) if given not in (None, "") else None


def _poll(asked: AskedPoll) -> PollDraft:
    try:
        lasts_s = int(asked.expires_in)
    except ValueError as error:
        raise invalid("Expires in is a number of seconds") from error
    return PollDraft(
        options=tuple(asked.options),
        lasts_s=lasts_s,
        multiple=asked.multiple or False,
        hide_totals=asked.hide_totals or False,
    )
