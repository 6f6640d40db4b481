"""Files of other servers, fetched by this one: nobody's client tells a stranger's server who looks at it.

Only addresses that this server wrote itself are fetched (`address_of`), so that it is nobody's way to anywhere.
"""

import asyncio
import base64
import binascii
import os
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from litestar import Request, Response, get
from litestar.response import Stream

from folkmoot.gate import Refused, Serves, Viewer
from folkmoot.media import remote
from folkmoot.media.remote import Redirect, Unfetchable
from folkmoot.media.sniffing import HEAD_BYTES, sniff
from folkmoot.surfaces import signed
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.mastodon.media_files import POLICY
from folkmoot.surfaces.services import Services

PROXY = "/proxy"
CACHED = "public, max-age=3600"
_URL_CHARACTERS_MAX = 2_000
_PIECE_BYTES = 256 * 1024


def address_of(services: Services, url: str) -> str:
    """Where clients get a file of another server from."""
    named = base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")
    return f"{services.site.base_url}{PROXY}/{signed.seal(services.ticket_key, url)}/{named}"


@get(f"{PROXY}/{{seal:str}}/{{named:str}}", opt=serves(Serves.ALIKE))
async def fetch_remote_media(
    request: Request[Any, Any, Any], seal: str, named: str, viewer: Viewer, services: Services
) -> Response[bytes] | Stream:
    """A file of another server, as long as this one deals with that. 404 where there is none, also for a minute
    after it wasn't there."""
    del viewer  # the same for everybody
    url = _url_of(services, seal, named)
    await _require_contact(services, url)
    try:
        opened = await services.remote_media.open(url, partial(_fill, services, url))
    except Unfetchable as error:
        raise Refused("not_found", "The file can't be fetched from its server.", status=404) from error
    return await _send(request, opened, seal)


async def _fill(services: Services, url: str, to: Path) -> None:
    """Each hop is asked about at the gate. Raises Unfetchable."""
    for _ in range(remote.REDIRECTS_MAX + 1):
        try:
            await _require_contact(services, url)
        except Refused as error:
            raise Unfetchable("this server does not deal with that one") from error
        found = await asyncio.to_thread(remote.fetch, url, to, services.may_fetch_from)
        if not isinstance(found, Redirect):
            return
        url = found.url
    raise Unfetchable("too many redirects")


async def _require_contact(services: Services, url: str) -> None:
    try:
        host = remote.host_of(url)
    except Unfetchable as error:
        raise Refused("not_found", "There is no such file.", status=404) from error
    async with services.database.read() as read:
        await services.gate.contact(read, host)


def _url_of(services: Services, seal: str, named: str) -> str:
    try:
        url = base64.urlsafe_b64decode(named + "=" * (-len(named) % 4)).decode()
    except (binascii.Error, ValueError) as error:
        raise Refused("not_found", "There is no such file.", status=404) from error
    if len(url) > _URL_CHARACTERS_MAX or not signed.is_sealed(services.ticket_key, url, seal):
        raise Refused("not_found", "There is no such file.", status=404)
    return url


async def _send(request: Request[Any, Any, Any], opened: BinaryIO, version: str) -> Response[bytes] | Stream:
    headers = {
        "ETag": f'"{version}"',
        "Cache-Control": CACHED,
        "Content-Security-Policy": POLICY,
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if request.headers.get("if-none-match") == headers["ETag"]:
        opened.close()
        return Response(b"", status_code=304, headers=headers)
    form = sniff(opened.read(HEAD_BYTES))
    opened.seek(0)
    headers["Content-Length"] = str(os.fstat(opened.fileno()).st_size)

    async def pieces() -> Any:
        with opened:
            while piece := await asyncio.to_thread(opened.read, _PIECE_BYTES):
                yield piece

    mime_type = form.mime_type if form is not None else "application/octet-stream"
    return Stream(pieces, headers=headers, media_type=mime_type)


HANDLERS: list[Any] = [fetch_remote_media]
