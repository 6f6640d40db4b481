"""Posts as Mastodon's JSON. Takes what the gate admitted, and nothing else."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from folkmoot.accounts.model import Account
from folkmoot.clips.model import Clip
from folkmoot.gate import Visible
from folkmoot.posts.files.model import Media
from folkmoot.posts.model import Mine, Post, Quoted, QuotePolicy, QuoteState, Version, Visibility
from folkmoot.posts.text import localised
from folkmoot.spaces.model import Space, SpaceState
from folkmoot.surfaces.mastodon import edit_entities, entities, filter_entities, status_entities
from folkmoot.surfaces.mastodon.filter_entities import FilterResult
from folkmoot.surfaces.mastodon.present import account, emojis, timestamp
from folkmoot.surfaces.mastodon.present_media import attachment
from folkmoot.surfaces.mastodon.present_polls import poll
from folkmoot.surfaces.services import Site
from folkmoot.timelines.filters.model import Found

_STATES = {
    SpaceState.SCHEDULED: "A scheduled Space",
    SpaceState.LIVE: "A live Space",
    SpaceState.ENDED: "A Space that has ended",
    SpaceState.CANCELLED: "A cancelled Space",
}


_NOTHING = Mine()


class Gone(msgspec.Struct, frozen=True):
    """A sentence in place of a clip."""

    clip_id: int
    sentence: str


class Around(msgspec.Struct, frozen=True):
    """What the viewer may see of what posts refer to. `media_urls` are where this viewer fetches files, by id.

    A clip is listed where its Space may be seen, by the id of the file that holds it.
    """

    posts: Mapping[int, Visible[Post]]
    accounts: Mapping[int, Visible[Account]]
    media: Mapping[int, list[Visible[Media]]]  # by post
    media_urls: Mapping[int, str]
    clips: Mapping[int, Clip]
    spaces: Mapping[int, Visible[Space]]
    now_ms: int
    viewer_id: int | None = None  # where it is made for one alone
    quotable: frozenset[int] = frozenset()  # posts, not loaded, that quoted posts quote
    muted: frozenset[int] = frozenset()  # accounts that are quoted, and muted by the viewer
    gone: Mapping[int, Gone] = {}  # by post
    mine: Mapping[int, Mine] = {}  # what the viewer did with them
    filtered: Mapping[int, list[Found]] = {}  # what the viewer's filters find


def permalink(username: str, post_id: int, site: Site) -> str:
    return f"{site.base_url}/@{username}/{post_id}"


def status(visible: Visible[Post], around: Around, site: Site) -> status_entities.Status:
    """A post. Its author has to be among `around.accounts`; what it boosts, among `around.posts`."""
    post = visible.item
    if post.reblog_of_id is not None:
        return _boost(visible, _status(around.posts[post.reblog_of_id], around, site), around, site)
    return _status(visible, around, site)


def _boost(
    visible: Visible[Post], shown: status_entities.Status, around: Around, site: Site
) -> status_entities.Status:
    """What is boosted, as somebody else's: clients that know no boosts show that, too."""
    post = visible.item
    booster = around.accounts[post.account_id]
    return msgspec.structs.replace(
        shown,
        id=str(post.id),
        uri=f"{site.base_url}/users/{booster.item.username}/statuses/{post.id}/activity",
        created_at=timestamp(post.created_at_ms),
        account=account(booster, site),
        visibility=post.visibility.value,
        reblog=shown,
        filtered=_filtered(post.id, around),
    )


def _status(
    visible: Visible[Post], around: Around, site: Site, *, is_quoted: bool = False
) -> status_entities.Status:
    post = visible.item
    mine = around.mine.get(post.id, _NOTHING)
    author = around.accounts[post.account_id]
    attached = around.media.get(post.id, [])
    announced = around.spaces.get(post.space_id) if post.space_id is not None else None
    return status_entities.Status(
        id=str(post.id),
        uri=f"{site.base_url}/users/{author.item.username}/statuses/{post.id}",
        url=permalink(author.item.username, post.id, site),
        created_at=timestamp(post.created_at_ms),
        account=account(author, site),
        edited_at=timestamp(post.edited_at_ms) if post.edited_at_ms is not None else None,
        # What is quoted in what is quoted is named only: no page says more of it than another.
        content=("" if is_quoted else _fallback(post, around, site)) + localised(post.html, site.base_url),
        visibility=post.visibility.value,
        sensitive=post.sensitive,
        spoiler_text=post.spoiler_text,
        language=post.language,
        in_reply_to_id=_id(post.in_reply_to_id),
        in_reply_to_account_id=_id(post.in_reply_to_account_id),
        media_attachments=[attachment(one, around.media_urls[one.item.id]) for one in attached],
        mentions=[
            _mention(around.accounts[account_id], site)
            for account_id in post.mentions
            if account_id in around.accounts
        ],
        tags=[status_entities.Tag(name=name, url=f"{site.base_url}/tags/{name}") for name in post.tags],
        emojis=emojis(site, post.spoiler_text, post.source),
        application=_application(post),
        card=_card(announced, around, site) if announced is not None else None,
        poll=poll(visible, mine, around.now_ms, site, is_own=post.account_id == around.viewer_id),
        quote=_shallow(post.quoted, around) if is_quoted else _quote(post.quoted, around, site),
        quote_approval=_quote_approval(visible, mine, around),
        replies_count=post.replies_count,
        reblogs_count=post.reblogs_count,
        favourites_count=post.favourites_count,
        quotes_count=post.quotes_count,
        favourited=mine.favourited,
        reblogged=mine.reblogged,
        bookmarked=mine.bookmarked,
        pinned=mine.pinned,
        muted=mine.muted,
        filtered=_filtered(post.id, around),
        folkmoot=_extension(announced, attached, around, around.gone.get(post.id)),
    )


def _filtered(post_id: int, around: Around) -> list[FilterResult]:
    return [filter_entities.result(found) for found in around.filtered.get(post_id, ())]


def _quote(quoted: Quoted | None, around: Around, site: Site) -> status_entities.Quote | None:
    """What may not be seen, or not any more, is told apart only as far as everybody may know."""
    if quoted is None:
        return None
    shown = around.posts.get(quoted.id) if quoted.state is QuoteState.ACCEPTED else None
    if shown is None:
        return status_entities.Quote(state=_why_not(quoted))
    state: Literal["muted_account", "accepted"]
    state = "muted_account" if quoted.account_id in around.muted else "accepted"
    return status_entities.Quote(state=state, quoted_status=_status(shown, around, site, is_quoted=True))


def _shallow(quoted: Quoted | None, around: Around) -> status_entities.ShallowQuote | None:
    if quoted is None:
        return None
    if quoted.state is QuoteState.ACCEPTED and (quoted.id in around.quotable or quoted.id in around.posts):
        return status_entities.ShallowQuote(state="accepted", quoted_status_id=str(quoted.id))
    return status_entities.ShallowQuote(state=_why_not(quoted))


def _why_not(quoted: Quoted) -> Literal["revoked", "deleted", "unauthorized"]:
    match quoted.state:
        case QuoteState.REVOKED:
            return "revoked"
        case QuoteState.DELETED:
            return "deleted"
        case QuoteState.ACCEPTED | QuoteState.UNLISTED:
            return "unauthorized"


def _fallback(post: Post, around: Around, site: Site) -> str:
    """For clients that know no quotes: a link to what is quoted. The others hide it by its class."""
    shown = around.posts.get(post.quoted.id) if post.quoted and post.quoted.state is QuoteState.ACCEPTED else None
    if shown is None:
        return ""
    url = permalink(around.accounts[shown.item.account_id].item.username, shown.item.id, site)
    if url in post.source:
        return ""
    return f'<p class="quote-inline">RE: <a href="{url}" rel="nofollow noopener" target="_blank">{url}</a></p>'


def _quote_approval(visible: Visible[Post], mine: Mine, around: Around) -> status_entities.QuoteApproval:
    post, viewer = visible.item, visible.viewer
    policy = post.quotable_by
    own = around.viewer_id == post.account_id and post.visibility is not Visibility.DIRECT and post.circle is None
    allowed = (
        own
        or (policy is QuotePolicy.PUBLIC and viewer.account_id is not None)
        or (policy is QuotePolicy.FOLLOWERS and mine.follows_author)
    )
    return status_entities.QuoteApproval(
        automatic=[] if policy is QuotePolicy.NOBODY else [policy.value],
        current_user="automatic" if allowed else "denied",
    )


def edit(visible: Visible[Post], version: Version, around: Around, site: Site) -> edit_entities.StatusEdit:
    """What a post said once. Of its files those that may be seen, as they were described then."""
    files = {one.item.id: one for one in around.media.get(visible.item.id, [])}
    attached = [
        msgspec.structs.replace(attachment(files[id_], around.media_urls[id_]), description=description or None)
        for id_, description in version.media
        if id_ in files
    ]
    options = [edit_entities.EditedOption(title) for title in version.options]
    return edit_entities.StatusEdit(
        content=localised(version.html, site.base_url),
        spoiler_text=version.spoiler_text,
        sensitive=version.sensitive,
        created_at=timestamp(version.written_at_ms),
        account=account(around.accounts[visible.item.account_id], site),
        poll=edit_entities.EditedPoll(options) if options else None,
        media_attachments=attached,
    )


def _mention(visible: Visible[Account], site: Site) -> status_entities.Mention:
    item = visible.item
    url = f"{site.base_url}/@{item.username}"
    return status_entities.Mention(id=str(item.id), username=item.username, url=url, acct=item.username)


def _application(post: Post) -> entities.Application | None:
    if post.application is None:
        return None
    return entities.Application(name=post.application.name, website=post.application.website)


def _card(visible: Visible[Space], around: Around, site: Site) -> status_entities.PreviewCard:
    space = visible.item
    host = around.accounts.get(space.host_id)
    name = (host.item.display_name or host.item.username) if host is not None else ""
    url = f"{site.base_url}/@{host.item.username}" if host is not None else ""
    by = account(host, site) if host is not None else None
    return status_entities.PreviewCard(
        url=f"{site.base_url}/spaces/{space.id}",
        title=space.title,
        description=f"{_STATES[space.state]} by {name}" if name else _STATES[space.state],
        language=space.language or None,
        author_name=name,
        author_url=url,
        authors=[status_entities.CardAuthor(name=name, url=url, account=by)] if by is not None else [],
        provider_name=site.title,
        provider_url=site.base_url,
        published_at=timestamp(space.created_at_ms),
    )


def _extension(
    announced: Visible[Space] | None, attached: list[Visible[Media]], around: Around, gone: Gone | None
) -> status_entities.Extension:
    cut = next((one.item for one in attached if one.item.id in around.clips), None)
    return status_entities.Extension(
        space_id=str(announced.item.id) if announced is not None else None,
        clip=_clipped_from(around.clips[cut.id], cut) if cut is not None else None,
        clip_removed=status_entities.ClipRemoved(id=str(gone.clip_id), sentence=gone.sentence) if gone else None,
    )


def _clipped_from(clip: Clip, media: Media) -> status_entities.ClippedFrom:
    return status_entities.ClippedFrom(
        id=str(clip.id),
        space_id=str(clip.space_id),
        start_ms=clip.start_ms,
        end_ms=clip.end_ms,
        taken_out=[
            status_entities.TakenOut(
                from_ms=one.from_ms,
                to_ms=one.to_ms,
                kind=one.kind,
                sentence=one.sentence,
                by_role=one.by_role,
                at=timestamp(one.at_ms),
            )
            for one in media.details.taken_out
        ],
    )


def _id(number: int | None) -> str | None:
    return None if number is None else str(number)
