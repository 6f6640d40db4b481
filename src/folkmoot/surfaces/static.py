"""The few files that pages and clients need and that no build makes: default pictures, the forms' style."""

from pathlib import Path
from typing import Any

from litestar import Response, get

from folkmoot.gate import Serves
from folkmoot.surfaces.http import serves

_DIRECTORY = Path(__file__).parent / "static"
_TYPES = {".png": "image/png", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
_FILES = {path.name: path.read_bytes() for path in _DIRECTORY.iterdir() if path.suffix in _TYPES}


def _serve(name: str) -> Response[bytes]:
    return Response(
        _FILES[name],
        media_type=_TYPES[Path(name).suffix],
        headers={"Cache-Control": "public, max-age=86400"},
    )


@get("/static/avatar.png", opt=serves(Serves.NOBODY), sync_to_thread=False)
def avatar() -> Response[bytes]:
    return _serve("avatar.png")


@get("/static/header.png", opt=serves(Serves.NOBODY), sync_to_thread=False)
def header() -> Response[bytes]:
    return _serve("header.png")


@get("/static/forms.css", opt=serves(Serves.NOBODY), sync_to_thread=False)
def forms_style() -> Response[bytes]:
    return _serve("forms.css")


@get("/static/passkey.js", opt=serves(Serves.NOBODY), sync_to_thread=False)
def passkey_script() -> Response[bytes]:
    """The button for passkeys on the pages for programs."""
    return _serve("passkey.js")


HANDLERS: list[Any] = [avatar, header, forms_style, passkey_script]
