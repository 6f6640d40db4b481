"""Every HTTP surface as an OpenAPI document to make requests from.

Our own API describes itself. Mastodon's methods read their bodies and queries from the request, as its clients send
them, and leave the description to Mastodon: here it is read from their source, so that it can't differ from it.
"""

import ast
import inspect
import json
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
from litestar.handlers import HTTPRouteHandler

from folkmoot.app import openapi_document
from folkmoot.surfaces.handlers import OTHERS

DEPTH_MAX = 3  # of functions that a handler asks to read its request
CURSORS = ("limit", "max_id", "since_id", "min_id")
BODY_TYPES = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
_PARAMETER = re.compile(r"{(\w+):\w+}")
_SCHEMA = "#/components/schemas/sent.{name}"
Document = dict[str, Any]


def document() -> Document:
    """Our own API's document, with all other surfaces in it."""
    whole: Document = json.loads(openapi_document())
    schemas = whole["components"]["schemas"]
    for handler in OTHERS:
        if not _is_of_an_api(handler):
            continue
        kinds, names = reads(handler.fn)
        bodies, components = msgspec.json.schema_components(kinds, schema_hook=_any, ref_template=_SCHEMA)
        schemas |= {f"sent.{name}": schema for name, schema in components.items()}
        for path, method in _addresses(handler):
            whole["paths"].setdefault(path, {})[method.lower()] = _operation(path, method, names, list(bodies))
    return whole


def _is_of_an_api(handler: HTTPRouteHandler) -> bool:
    return all(path.startswith(("/api/", "/oauth/", "/media/", "/proxy/", "/emoji/")) for path in handler.paths)


def _addresses(handler: HTTPRouteHandler) -> list[tuple[str, str]]:
    """(path, method) in the same order each time."""
    paths = sorted(_PARAMETER.sub(r"{\1}", path) for path in handler.paths)
    return [(path, str(method)) for path in paths for method in sorted(handler.http_methods)]


def _operation(path: str, method: str, names: list[str], bodies: list[Any]) -> Document:
    operation: Document = {
        "parameters": [
            *(_parameter(name, "path", required=True) for name in re.findall(r"{(\w+)}", path)),
            *(_parameter(name, "query", required=False) for name in names),
        ],
        "responses": {"200": {"description": "What Mastodon documents"}},
    }
    if bodies and method != "GET":
        schema = bodies[0] if len(bodies) == 1 else {"anyOf": bodies}
        operation["requestBody"] = {"content": {kind: {"schema": schema} for kind in BODY_TYPES}}
    return operation


def _parameter(name: str, place: str, *, required: bool) -> Document:
    kind = "integer" if name in (*CURSORS, "offset") else "string"
    return {"name": name, "in": place, "required": required, "schema": {"type": kind}}


def _any(_type: type) -> Document:
    return {}


def reads(handler: Any) -> tuple[list[type], list[str]]:
    """What a handler's body is parsed as, and the names that it reads from the query."""
    kinds: dict[str, type] = {}
    names: set[str] = set()
    for function in _reached(handler, 0):
        for call in _calls(function):
            arguments = list(map(ast.unparse, call.args))
            kind = function.__globals__.get(arguments[-1]) if arguments[:1] == ["request"] else None
            if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
                kinds[kind.__name__] = kind
            if arguments[:1] == ["request"] and ast.unparse(call.func).rpartition(".")[2] == "page":
                names.update(CURSORS)
        names.update(_names(function))
    return list(kinds.values()), sorted(names)


def _reached(function: Any, depth: int) -> Iterator[Any]:
    """The function, and those of our surfaces that it hands its request to."""
    yield function
    for call in _calls(function):
        called = function.__globals__.get(ast.unparse(call.func))
        takes = [ast.unparse(one) for one in call.args]
        if depth < DEPTH_MAX and "request" in takes and inspect.isfunction(called):
            yield from _reached(called, depth + 1)


def _calls(function: Any) -> list[ast.Call]:
    return [node for node in ast.walk(_tree(function)) if isinstance(node, ast.Call)]


def _names(function: Any) -> Iterator[str]:
    """Constants that are handed on with the request, taken from its query, or compared with its names."""
    for node in ast.walk(_tree(function)):
        match node:
            case ast.Call() if "request" in map(ast.unparse, node.args) or "query" in ast.unparse(node.func):
                yield from _texts(node.args)
            case ast.Compare(ops=[ast.In()], comparators=[ast.Tuple(elts=texts)]):
                yield from _texts(texts)


def _texts(nodes: list[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.fullmatch(r"\w+(\[\])?", node.value)
        ):
            yield node.value


@cache
def _tree(function: Any) -> ast.AST:
    return ast.parse(textwrap.dedent(inspect.getsource(function)))
