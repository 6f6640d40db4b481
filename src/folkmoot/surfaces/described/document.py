"""The OpenAPI document (3.1) of all that programs may ask for.

Our own API is described by Litestar, from the signatures of its handlers. All others read their requests as Rails
does (`asked.py`), and are described here, their answers by the msgspec structs that they return. Whom each serves,
and with which scope, its `serves(...)` says; every error has one shape.
"""

import inspect
import re
from collections.abc import Iterable, Iterator, Sequence
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
from litestar import MediaType, Response
from litestar.handlers import HTTPRouteHandler

from folkmoot.accounts.oauth.rules import SCOPES
from folkmoot.gate import Serves, Surface
from folkmoot.surfaces.described.asked import STRING, Schema, asked
from folkmoot.surfaces.http import SESSION_COOKIE, SURFACE, Declaration

BODY_TYPES = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
_PARAMETER = re.compile(r"{(\w+)(?::(\w+))?}")
_SCHEMA = "#/components/schemas/mastodon.{name}"
_ERROR = {"$ref": "#/components/responses/Error"}
_OPEN = frozenset({Serves.ANYONE, Serves.ALIKE, Serves.NOBODY})
_GIVEN = frozenset({"request", "viewer", "permit", "services", "gate", "limits", "passwords", "trending"})
Document = dict[str, Any]


def document(
    own: Document, own_handlers: Sequence[Any], others: Sequence[Any], streams: Iterable[Surface]
) -> Document:
    """`own`: the document that Litestar makes of our own API. `streams`: what isn't asked for by a route."""
    whole = msgspec.structs.asdict(own) if isinstance(own, msgspec.Struct) else dict(own)
    paths, components = whole["paths"], whole["components"]
    for handler in own_handlers:
        for path, method in _addresses(handler):
            _complete(paths[path][method], handler)
    described = [_Described(handler) for handler in others]
    schemas, named = _schemas([kind for one in described for kind in one.kinds])
    for one in described:
        for path, method in _addresses(one.handler):
            paths.setdefault(path, {})[method] = one.operation(path, method, schemas)
    for surface in streams:
        method, _, path = surface.name.partition(" ")
        paths.setdefault(path, {})[method.lower()] = _stream(surface, path)
    components["schemas"] = components["schemas"] | named | {"Error": _ERROR_SCHEMA}
    components["responses"] = {"Error": _ERROR_RESPONSE}
    components["securitySchemes"] = _SCHEMES
    return whole


class _Described:
    """One of the handlers that Litestar can't describe."""

    def __init__(self, handler: HTTPRouteHandler) -> None:
        self.handler = handler
        self._asked = asked(handler.fn)
        hints = get_type_hints(handler.fn)
        self._said = {str(handler.status_code): list(_each(hints["return"]))}
        for status, spec in (handler.responses or {}).items():
            self._said[str(status)] = list(_each(spec.data_container))
        self._signed = {
            name: kind
            for name, kind in hints.items()
            if name not in _GIVEN | {"return"} and not any(f"{{{name}:" in path for path in handler.paths)
        }

    @property
    def kinds(self) -> list[Any]:
        """All types that its description needs."""
        said = [kind for kinds in self._said.values() for kind in kinds if _is_json(kind)]
        return [*self._asked.bodies, *said, *self._signed.values()]

    def operation(self, path: str, method: str, schemas: dict[Any, Schema]) -> Document:
        declaration: Declaration = self.handler.opt[SURFACE]
        operation: Document = {
            "operationId": _operation_id(path, method),
            "description": inspect.getdoc(self.handler.fn) or "",
            "parameters": [*_path_parameters(path, self.handler.paths), *self._parameters(schemas)],
            "responses": {status: self._response(kinds, schemas) for status, kinds in sorted(self._said.items())}
            | {"default": _ERROR},
            "security": _security(declaration.serves, declaration.scope),
        }
        bodies = [schemas[kind] for kind in self._asked.bodies]
        if bodies and method != "get":
            schema = bodies[0] if len(bodies) == 1 else {"anyOf": bodies}
            operation["requestBody"] = {"content": {kind: {"schema": schema} for kind in BODY_TYPES}}
        return operation

    def _parameters(self, schemas: dict[Any, Schema]) -> Iterator[Document]:
        for name, schema in self._asked.query.items():
            yield {"name": name, "in": "query", "required": False, "schema": schema}
        for name, kind in self._signed.items():
            yield {"name": name, "in": "query", "required": False, "schema": schemas[kind]}
        for name in self._asked.headers:
            yield {"name": name, "in": "header", "required": False, "schema": STRING}

    def _response(self, kinds: list[Any], schemas: dict[Any, Schema]) -> Document:
        shapes = [schemas[kind] for kind in kinds if _is_json(kind)]
        if shapes:
            schema = shapes[0] if len(shapes) == 1 else {"anyOf": shapes}
            return {"description": "", "content": {MediaType.JSON.value: {"schema": schema}}}
        return _no_json(self.handler, kinds)


def _no_json(handler: HTTPRouteHandler, kinds: list[Any]) -> Document:
    """Nothing, text, or bytes."""
    if kinds == [type(None)]:
        return {"description": ""}
    media_type = handler.media_type
    said = media_type.value if isinstance(media_type, MediaType) else media_type
    return {"description": "", "content": {str(said or "*/*"): {}}}


def _each(kind: Any) -> Iterator[Any]:
    """What a handler returns, without the `Response` around it; each of several."""
    if get_origin(kind) in (Union, UnionType):
        for one in get_args(kind):
            yield from _each(one)
    elif get_origin(kind) is Response:
        yield from _each(get_args(kind)[0])
    else:
        yield kind


def _is_json(kind: Any) -> bool:
    """Other than bytes, text and whatever Litestar sends as it is."""
    if kind in (bytes, str, type(None)):
        return False
    return not (inspect.isclass(kind) and issubclass(kind, Response))


def _schemas(kinds: Sequence[Any]) -> tuple[dict[Any, Schema], dict[str, Schema]]:
    """The schema of each type, and the components that these refer to."""
    each = list(dict.fromkeys(kinds))
    schemas, components = msgspec.json.schema_components(each, schema_hook=_anything, ref_template=_SCHEMA)
    return dict(zip(each, schemas, strict=True)), {f"mastodon.{name}": one for name, one in components.items()}


def _anything(_type: type) -> Schema:
    return {}


def _addresses(handler: HTTPRouteHandler) -> list[tuple[str, str]]:
    """(path, method) in the same order each time."""
    paths = sorted(_PARAMETER.sub(r"{\1}", path) for path in handler.paths)
    return [(path, str(method).lower()) for path in paths for method in sorted(handler.http_methods)]


def _path_parameters(path: str, declared: Iterable[str]) -> Iterator[Document]:
    kinds = {name: kind for one in declared for name, kind in _PARAMETER.findall(one)}
    for name, _ in _PARAMETER.findall(path):
        schema = {"type": "integer"} if kinds.get(name) == "int" else STRING
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _operation_id(path: str, method: str) -> str:
    return method + "".join(part.title() for part in re.findall(r"\w+", path))


def _complete(operation: Document, handler: HTTPRouteHandler) -> None:
    """With what Litestar doesn't know: whom it serves, what it is for, that bytes are no JSON, and our errors in
    place of Litestar's."""
    declaration: Declaration = handler.opt[SURFACE]
    kinds = list(_each(get_type_hints(handler.fn)["return"]))
    if not any(map(_is_json, kinds)):
        operation["responses"][str(handler.status_code)] = _no_json(handler, kinds)
    operation["description"] = inspect.getdoc(handler.fn) or ""
    operation["security"] = _security(declaration.serves, declaration.scope)
    operation["responses"].pop("400", None)
    operation["responses"]["default"] = _ERROR


def _security(serves: Serves, scope: str) -> list[dict[str, list[str]]]:
    if serves in (Serves.NOBODY, Serves.ALIKE):
        return []
    either: list[dict[str, list[str]]] = [{"oauth": [scope] if scope else []}, {"session": []}]
    return [{}, *either] if serves in _OPEN else either


def _stream(surface: Surface, path: str) -> Document:
    """Sound as it is spoken, or a WebSocket."""
    is_socket = "{" not in path
    parameters = list(_path_parameters(path, (path.replace("}", ":int}"),)))
    names = ("stream", "list", "tag", "access_token") if is_socket else ("codec", "ticket")
    parameters += [{"name": name, "in": "query", "required": False, "schema": STRING} for name in names]
    said: Document = (
        {"101": {"description": "A WebSocket (RFC 6455)"}}
        if is_socket
        else {"200": {"description": "Sound, without an end", "content": {"*/*": {}}}}
    )
    return {
        "operationId": _operation_id(path, "get"),
        "description": "Streams over a WebSocket." if is_socket else "What is said in a live Space, as it is said.",
        "parameters": parameters,
        "responses": said | {"default": _ERROR},
        "security": _security(surface.serves, surface.scope),
    }


_ERROR_SCHEMA: Schema = {
    "type": "object",
    "description": "A sentence for people, and a word for programs that stays the same.",
    "properties": {"error": STRING, "code": STRING, "error_description": STRING},
    "required": ["error"],
}
_ERROR_RESPONSE: Document = {
    "description": "It was not done, and why.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
}
_OAUTH_SCOPES = dict.fromkeys(SCOPES, "")
_SCHEMES: Document = {
    "oauth": {
        "type": "oauth2",
        "flows": {
            "authorizationCode": {
                "authorizationUrl": "/oauth/authorize",
                "tokenUrl": "/oauth/token",
                "scopes": _OAUTH_SCOPES,
            },
            "clientCredentials": {"tokenUrl": "/oauth/token", "scopes": _OAUTH_SCOPES},
        },
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": SESSION_COOKIE,
        "description": "The web client's: what changes something has to come from our own pages.",
    },
}
