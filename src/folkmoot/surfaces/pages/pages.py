"""The pages: one shell for the web client, with a head that says what is on the page to whoever runs no scripts."""

from collections.abc import Mapping
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
from litestar import MediaType, Request, Response, get
from litestar.response import File

from folkmoot.gate import ANONYMOUS, Refused, Serves, Viewer
from folkmoot.spaces import queries as spaces
from folkmoot.spaces.model import SpaceState
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.mastodon import load_pages
from folkmoot.surfaces.mastodon.instance import DESCRIPTION
from folkmoot.surfaces.mastodon.page_meta import post_meta, profile_meta
from folkmoot.surfaces.pages import reading
from folkmoot.surfaces.pages.meta import PageMeta
from folkmoot.surfaces.services import Services
from folkmoot.surfaces.spaces import load


def dist_beside(module: Path) -> Path:
    """Where the built client is, without symbolic links: what is served from it is compared with where it is."""
    return (module.parent / "dist").resolve()


DIST = dist_beside(Path(__file__))
_HEAD, _BODY = "<!--head-->", "<!--body-->"
_POSTS = 20
_NO_SCRIPTS = (
    "<p>This page needs scripts to play and to speak. "
    'What was posted can be read without them: <a href="/public">the square</a>.</p>'
)
_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".txt": "text/plain",
}
_ENCODINGS = {"br": ".br", "gzip": ".gz"}
_PLAIN = ["/favourites", "/bookmarks", "/search", "/notifications", "/conversations"]
_PLAIN += ["/follow-requests", "/lists", "/lists/{list_id:int}", "/scheduled"]
_PLAIN += ["/settings", *(f"/settings/{name}" for name in ("preferences", "security", "filters", "followed-tags"))]
_PLAIN += ["/settings/mutes", "/settings/blocks", "/sign-in", "/sign-up", "/setup", "/password"]
_PLAIN += ["/forgotten", "/confirm-email", "/second-factor"]
_MODERATION = [
    "/moderation",
    "/moderation/appeals",
    "/moderation/accounts",
    "/moderation/doors",
    "/moderation/accounts/{account_id:int}",
]


@get([*_PLAIN, *_MODERATION], opt=serves(Serves.NOBODY), media_type=MediaType.HTML)
async def plain_page(services: Services) -> Response[str]:
    """A page whose content the client fetches."""
    return _page(PageMeta(services.site.title, "A public square with live audio.", services.site.base_url), 200)


@get(["/", "/public"], opt=serves(Serves.ALIKE), media_type=MediaType.HTML)
async def public_page(
    viewer: Viewer,  # noqa: ARG001 (the same for everybody: who asks is not looked at)
    services: Services,
) -> Response[str]:
    """The square: without scripts, the newest public posts."""
    meta = PageMeta(services.site.title, "A public square with live audio.", services.site.base_url)
    async with services.database.read() as read:
        found = await load_pages.public(read, services, _POSTS)
    return _page(meta, 200, reading.square(found))


@get("/tags/{tag:str}", opt=serves(Serves.ALIKE), media_type=MediaType.HTML)
async def tag_page(
    tag: str,
    viewer: Viewer,  # noqa: ARG001 (the same for everybody: who asks is not looked at)
    services: Services,
) -> Response[str]:
    """A hashtag: without scripts, the newest public posts with it."""
    meta = PageMeta(f"#{tag}", f"Posts with #{tag}", f"{services.site.base_url}/tags/{quote(tag)}")
    async with services.database.read() as read:
        found = await load_pages.tagged(read, services, tag, _POSTS)
    return _page(meta, 200, reading.tag(tag, found))


@get("/about", opt=serves(Serves.NOBODY), media_type=MediaType.HTML)
async def about_page(services: Services) -> Response[str]:
    """What this server is."""
    meta = PageMeta(f"About {services.site.title}", DESCRIPTION, f"{services.site.base_url}/about")
    return _page(meta, 200, reading.about(services.site, DESCRIPTION))


@get("/spaces", opt=serves(Serves.ALIKE), media_type=MediaType.HTML)
async def spaces_page(
    viewer: Viewer,  # noqa: ARG001 (the same for everybody: who asks is not looked at)
    services: Services,
) -> Response[str]:
    """The Spaces: without scripts, those that are live, to come, or were."""
    meta = PageMeta("Spaces", "Live conversations that anybody can hear.", f"{services.site.base_url}/spaces")
    async with services.database.read() as read:
        found = [
            await load.present_all(
                read, services, ANONYMOUS, await spaces.ids_by_state(read, state, limit=_POSTS), public=True
            )
            for state in (SpaceState.LIVE, SpaceState.SCHEDULED, SpaceState.ENDED)
        ]
    return _page(meta, 200, reading.spaces(*found))


@get("/spaces/{space_id:int}", opt=serves(Serves.ANYONE, scope="read:statuses"), media_type=MediaType.HTML)
async def space_page(space_id: int, viewer: Viewer, services: Services) -> Response[str]:
    """A Space: without scripts, what anybody may hear and read of it."""
    said = None
    try:
        async with services.database.read() as read:
            space = await load.present_one(read, services, viewer, space_id)
            if viewer.account_id is None and space.announcement_id is not None:
                said = await load_pages.thread(read, services, int(space.announcement_id))
    except Refused:
        return _not_found(services)
    what = {"live": "Live now", "scheduled": "Scheduled", "ended": "Ended", "cancelled": "Cancelled"}[space.state]
    by = f"{what} · hosted by {space.host.display_name or space.host.username}"
    body = reading.space(space, said[1].descendants if said else []) if viewer.account_id is None else ""
    return _page(PageMeta(space.title, " · ".join([by, *space.topics]), space.url), 200, body)


@get(
    [
        "/{handle:str}",
        *(f"/{{handle:str}}/{side}" for side in ("with_replies", "media", "followers", "following")),
        "/{handle:str}/tagged/{tag:str}",
    ],
    opt=serves(Serves.ANYONE),
    media_type=MediaType.HTML,
)
async def profile_page(handle: str, viewer: Viewer, services: Services) -> Response[str]:
    """A profile, at /@name: without scripts, with what its owner posted to everybody."""
    if not handle.startswith("@"):
        return _not_found(services)
    async with services.database.read() as read:
        meta = await profile_meta(read, services, handle[1:])
        found = await load_pages.profile(read, services, handle[1:], _POSTS) if meta is not None else None
    return _page_of(meta, viewer, services, reading.profile(*found) if found else "")


@get("/{handle:str}/{post_id:int}", opt=serves(Serves.ANYONE), media_type=MediaType.HTML)
async def post_page(handle: str, post_id: int, viewer: Viewer, services: Services) -> Response[str]:
    """A post and its thread, at /@name/id."""
    if not handle.startswith("@"):
        return _not_found(services)
    async with services.database.read() as read:
        meta = await post_meta(read, services, post_id)
        found = await load_pages.thread(read, services, post_id) if meta is not None else None
    return _page_of(meta, viewer, services, reading.thread(*found) if found else "")


@get("/assets/{name:str}", opt=serves(Serves.NOBODY))
async def asset(name: str, request: Request[Any, Any, Any]) -> File:
    """The client's scripts and styles: their names carry a hash, so they never change. Compressed while they were
    built (web/compressed.ts)."""
    path = DIST / "assets" / name
    accepted = _encodings(request.headers.get("accept-encoding", ""))
    return _file(path, "public, max-age=31536000, immutable", accepted)


@get("/manifest.webmanifest", opt=serves(Serves.NOBODY))
async def manifest(services: Services) -> Response[bytes]:
    """How a device keeps the client among its programs (https://www.w3.org/TR/appmanifest/)."""
    said = {
        "name": services.site.title,
        "short_name": services.site.title,
        "start_url": "/",
        "display": "standalone",
        "background_color": "#0e1513",
        "theme_color": "#0d5c4a",
        "icons": [
            {"src": "/logo.svg", "sizes": "any", "type": "image/svg+xml"},
            {"src": "/icon.png", "sizes": "512x512", "type": "image/png"},
        ],
    }
    return Response(
        msgspec.json.encode(said),
        media_type="application/manifest+json",
        headers={"Cache-Control": "public, max-age=3600"},
    )


@get(["/logo.svg", "/icon.png", "/push-worker.js", "/robots.txt"], opt=serves(Serves.NOBODY))
async def root_file(request: Any) -> File:
    """Files that have their place at the root."""
    return _file(DIST / request.url.path.lstrip("/"), "public, max-age=3600", {})


def _encodings(accept_encoding: str) -> dict[str, str]:
    """What a client takes of what lies beside a file, with its suffix; the smallest first (RFC 9110, 12.5.3)."""
    asked = {word.replace(" ", "").lower() for word in accept_encoding.split(",")}
    taken = {word.partition(";")[0] for word in asked if not word.endswith((";q=0", ";q=0.0"))}
    return {name: suffix for name, suffix in _ENCODINGS.items() if name in taken}


def _file(path: Path, cache_control: str, encodings: Mapping[str, str]) -> File:
    headers = {"Cache-Control": cache_control, "Vary": "Accept-Encoding"}
    try:
        exists = path.suffix in _TYPES and path.is_file() and path.resolve().is_relative_to(DIST)
    except (OSError, ValueError):
        # A name that is too long for a file, or holds a NUL.
        exists = False
    if not exists:
        raise Refused("not_found", "There is no such file.", status=404)
    sent = path
    for name, suffix in encodings.items():
        if sent is path and (smaller := path.with_name(path.name + suffix)).is_file():
            sent, headers["Content-Encoding"] = smaller, name
    return File(sent, content_disposition_type="inline", media_type=_TYPES[path.suffix], headers=headers)


def _page_of(meta: PageMeta | None, viewer: Viewer, services: Services, body: str) -> Response[str]:
    """The head is for unfurlers, and says what anybody may see. A person who may see more asks as themselves."""
    if meta is not None:
        return _page(meta, 200, body)
    if viewer.account_id is None:
        return _not_found(services)
    return _page(PageMeta(services.site.title, "", services.site.base_url), 200)


def is_page_request(request: Request[Any, Any, Any]) -> bool:
    """Whether a browser asks for a page that a person will look at."""
    path: str = request.url.path
    return (
        request.method == "GET"
        and "text/html" in request.headers.get("accept", "")
        and not path.startswith(("/api/", "/oauth", "/media/", "/embed/", "/assets/", "/static/"))
    )


def error_page(services: Services, status: int) -> Response[str]:
    """The client, which says what is wrong: nothing here, a session that ended, an account that is suspended."""
    title = "Not found" if status == 404 else services.site.title
    return _page(PageMeta(title, "", services.site.base_url), status)


def _not_found(services: Services) -> Response[str]:
    return _page(PageMeta("Not found", "There is nothing here.", services.site.base_url), 404)


def _page(meta: PageMeta, status: int, body: str = _NO_SCRIPTS) -> Response[str]:
    html = _shell().replace("<title>Folkmoot</title>", f"<title>{escape(meta.title)}</title>")
    return Response(
        html.replace(_HEAD, "\n    ".join(meta.tags())).replace(_BODY, body or _NO_SCRIPTS),
        status_code=status,
        media_type=MediaType.HTML,
        headers={"Cache-Control": "private, no-cache", "Vary": "Cookie"},
    )


def _shell() -> str:
    index = DIST / "index.html"
    try:
        # By its time: after a new build the old shell would name scripts that are gone.
        return _read_shell(index, index.stat().st_mtime_ns)
    except FileNotFoundError as error:
        raise Refused(
            "client_not_built", "The web client isn't built. Run `make run`, which builds it.", status=503
        ) from error


@lru_cache(maxsize=1)
def _read_shell(index: Path, _mtime_ns: int) -> str:
    return index.read_text()


HANDLERS = [
    plain_page,
    public_page,
    tag_page,
    about_page,
    spaces_page,
    space_page,
    asset,
    manifest,
    root_file,
    profile_page,
    post_page,
]
