"""Mastodon's pages: `limit`, `max_id`, `since_id`, `min_id` in, a `Link` header (RFC 8288) out."""

from typing import Any
from urllib.parse import quote, urlencode

from litestar import Request

from folkmoot.accounts.model import Page
from folkmoot.gate import Refused, invalid
from folkmoot.surfaces.forms import SAID

ID_MAX = 2**63 - 1
_ID_DIGITS_MAX = 19


def entity_id(text: str, what: str = "Record") -> int:
    """An id from a path or a list; what cannot be one does not exist. Raises Refused 404."""
    id_ = possible_id(text)
    if not id_:
        raise Refused("not_found", f"{what} not found.", status=404)
    return id_


def possible_id(text: str) -> int | None:
    """The number, if the database could hold it."""
    if text.isascii() and text.isdigit() and len(text) <= _ID_DIGITS_MAX and int(text) <= ID_MAX:
        return int(text)
    return None


def page(request: Request[Any, Any, Any], *, limit: int, limit_max: int) -> Page:
    """The page that the query asks for. A limit beyond `limit_max` is `limit_max`, as in Mastodon.

    Raises Refused 422 for a cursor or limit that is no number.
    """
    return Page(
        limit=max(1, min(number(request, "limit") or limit, limit_max)),
        max_id=number(request, "max_id"),
        since_id=number(request, "since_id"),
        min_id=number(request, "min_id"),
    )


def link_header(request: Request[Any, Any, Any], base_url: str, ids: list[int], limit: int) -> dict[str, str]:
    """The headers of a page. `ids` are those that were read, newest first, shown or not: the cursors go on
    behind what the gate left out."""
    if not ids:
        return {}
    kept = [
        (name, value)
        for name, value in request.query_params.multi_items()
        if name not in ("max_id", "since_id", "min_id")
    ]
    path = quote(request.scope["path"])  # a tag may be in any script, a header is ASCII
    address = f"{base_url}{path}?" + (urlencode(kept) + "&" if kept else "")
    links = [f'<{address}min_id={ids[0]}>; rel="prev"']
    if len(ids) >= limit:
        links.insert(0, f'<{address}max_id={ids[-1]}>; rel="next"')
    return {"Link": ", ".join(links)}


def says(request: Request[Any, Any, Any], name: str) -> bool:
    """Whether something in the query is said to be true."""
    return SAID.get(request.query_params.get(name, "").lower(), False)


def ids_asked_for(request: Request[Any, Any, Any], count_max: int) -> list[int]:
    """The ids of `id[]` in the query, each once; what cannot be one is left out."""
    asked = [value for name, value in request.query_params.multi_items() if name in ("id[]", "id")]
    return list(dict.fromkeys(id_ for text in asked[:count_max] if (id_ := possible_id(text)) is not None))


def number(request: Request[Any, Any, Any], name: str) -> int | None:
    """A number of the query; None where it isn't given. Raises Refused 422 for what is none."""
    text = request.query_params.get(name)
    if text is None or text == "":
        return None
    found = possible_id(text)
    if found is not None:
        return found
    raise invalid(f"{name} must be a number.")
