"""oEmbed (oembed.com) for posts, and the small page that it puts into other sites.

Both show what somebody without an account sees. The page has no scripts and a policy of its own: it may be framed
by anybody and can load nothing but its sound.
"""

import re
from html import escape
from typing import Any

import msgspec
from litestar import MediaType, Response, get

from folkmoot.gate import Refused, Serves, Viewer
from folkmoot.posts import queries
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.mastodon import page_meta
from folkmoot.surfaces.mastodon.paging import entity_id
from folkmoot.surfaces.mastodon.status_entities import MediaAttachment, Status
from folkmoot.surfaces.security import content_security_policy
from folkmoot.surfaces.services import Services

WIDTH, HEIGHT = 400, 220
WIDTH_MIN, WIDTH_MAX = 220, 1200
# A post can be deleted or its author suspended: who embeds it has to ask again soon.
CACHE_SECONDS = 300
_PERMALINK = re.compile(r"/@[A-Za-z0-9_]+/(?P<id>[0-9]+)/?")
_NOTHING = "'none'"


class OEmbed(msgspec.Struct):
    """oEmbed 1.0, 2.3.4.4: the rich type."""

    title: str
    author_name: str
    author_url: str
    provider_name: str
    provider_url: str
    html: str
    width: int
    height: int
    type: str = "rich"
    version: str = "1.0"
    cache_age: int = CACHE_SECONDS


@get("/api/oembed", opt=serves(Serves.ANYONE))
async def oembed(
    url: str, viewer: Viewer, services: Services, maxwidth: int | None = None, maxheight: int | None = None
) -> Response[OEmbed]:
    """How to embed a post of this server, by the address of its page."""
    path = url.removeprefix(services.site.base_url) if url.startswith(services.site.base_url + "/") else ""
    match = _PERMALINK.fullmatch(path.partition("?")[0])
    if match is None:
        raise Refused("not_found", "This is not the address of a post here.", status=404)
    shown = await _public(services, viewer, match["id"])
    width = min(max(maxwidth or WIDTH, WIDTH_MIN), WIDTH_MAX)
    height = min(HEIGHT, maxheight) if maxheight and maxheight > 0 else HEIGHT
    source = f"{services.site.base_url}/embed/{shown.id}"
    body = OEmbed(
        title=page_meta.title(shown, services),
        author_name=shown.account.display_name or shown.account.username,
        author_url=shown.account.url,
        provider_name=services.site.title,
        provider_url=services.site.base_url,
        html=f'<iframe src="{escape(source)}" width="{width}" height="{height}" style="border:0" '
        f'title="{escape(page_meta.title(shown, services))}" sandbox="allow-popups"></iframe>',
        width=width,
        height=height,
    )
    return Response(body, headers={"Cache-Control": f"public, max-age={CACHE_SECONDS}"})


@get("/embed/{post_id:str}", opt=serves(Serves.ANYONE), media_type=MediaType.HTML)
async def embed(post_id: str, viewer: Viewer, services: Services) -> Response[str]:
    """A post as a page to be framed elsewhere."""
    shown = await _public(services, viewer, post_id)
    headers = {"Content-Security-Policy": _policy(services), "Cache-Control": "no-cache"}
    return Response(_page(shown, services), media_type=MediaType.HTML, headers=headers)


def _page(shown: Status, services: Services) -> str:
    author = escape(page_meta.title(shown, services))
    files = "".join(_file(one, one.url) for one in shown.media_attachments if one.url is not None)
    if files and shown.sensitive:
        files = f"<details><summary>Sensitive</summary>{files}</details>"
    return (
        f'<!doctype html><html lang="{escape(shown.language or "en")}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{author}</title></head><body>'
        f'<p><a href="{escape(shown.url)}" target="_blank" rel="noopener">{author}</a></p>'
        f'<p dir="auto">{escape(page_meta.description(shown))}</p>{files}</body></html>'
    )


def _file(shown: MediaAttachment, url: str) -> str:
    described = escape(shown.description or "")
    if shown.type == "image":
        return f'<p><img loading="lazy" width="100%" src="{escape(url)}" alt="{described}"></p>'
    kind = "audio" if shown.type == "audio" else "video"
    return f'<{kind} controls preload="none" src="{escape(url)}" aria-label="{described}"></{kind}>'


def _policy(services: Services) -> str:
    return content_security_policy(
        default_src=_NOTHING,
        script_src=_NOTHING,
        style_src=_NOTHING,
        connect_src=_NOTHING,
        worker_src=_NOTHING,
        form_action=_NOTHING,
        # By name: framed with a sandbox, the page is of no origin, and 'self' would be nothing.
        img_src=services.site.base_url,
        media_src=services.site.base_url,
        frame_ancestors="*",
    )


async def _public(services: Services, viewer: Viewer, post_id: str) -> Status:
    """As everybody sees it. Whoever is signed in and may not see it (a block) doesn't see it here either."""
    async with services.database.read() as read:
        found = await queries.by_id(read, entity_id(post_id))
        visible = await services.gate.admit_one(read, viewer, found, "Record")
        shown = await page_meta.public_status(read, services, visible.item.id)
    if shown is None:
        raise Refused("not_found", "Record not found", status=404)
    return shown


HANDLERS: list[Any] = [oembed, embed]
