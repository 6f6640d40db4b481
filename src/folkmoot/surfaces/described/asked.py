"""What a handler reads from its request, read from its source, so that the description can't differ from it.

Mastodon's methods take JSON, forms and multipart alike, and queries as Rails takes them: they read both from the
request (`parse`, `page`, `says`, `number`, `request.query_params`), which no signature says.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec

DEPTH_MAX = 3  # of functions that a handler asks to read its request
INTEGER, BOOLEAN, STRING = {"type": "integer"}, {"type": "boolean"}, {"type": "string"}
LIST = {"type": "array", "items": STRING}
CURSORS = dict.fromkeys(("limit", "max_id", "since_id", "min_id"), INTEGER)
_NAME = re.compile(r"\w[\w-]*(\[\])?")
_KIND_OF_CALL = {"says": BOOLEAN, "number": INTEGER}
# Of every request, whoever it is for.
_HEADERS_OF_ALL = frozenset(
    {"authorization", "content-type", "content-length", "host", "origin", "transfer-encoding"}
)
Schema = dict[str, Any]


class Asked(msgspec.Struct, frozen=True):
    """The structs that the body is read as, and what is read from the query and the headers, by name."""

    bodies: tuple[type, ...]
    query: dict[str, Schema]
    headers: tuple[str, ...]


def asked(handler: Any) -> Asked:
    """What a handler's function reads, itself or by those that it hands its request to."""
    bodies: dict[str, type] = {}
    query: dict[str, Schema] = {}
    headers: set[str] = set()
    for function in _reached(handler, 0):
        for call in _calls(function):
            given = list(map(ast.unparse, call.args))
            called = ast.unparse(call.func).rpartition(".")[2]
            kind = function.__globals__.get(given[-1]) if given else None
            if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
                if given[0] == "request":
                    bodies[kind.__name__] = kind
                elif called == "convert" and "request.query_params" in given[0]:
                    query |= dict.fromkeys((field.encode_name for field in msgspec.structs.fields(kind)), STRING)
            if given[:1] == ["request"] and called == "page":
                query |= CURSORS
        headers.update(_headers(function))
        for name, schema in _query(function):
            query[name] = schema if name not in query or query[name] is STRING else query[name]
    return Asked(tuple(bodies.values()), dict(sorted(query.items())), tuple(sorted(headers - _HEADERS_OF_ALL)))


def _reached(function: Any, depth: int) -> Iterator[Any]:
    """The function, and those of our surfaces that it hands its request to."""
    yield function
    for call in _calls(function):
        called = _named(function, ast.unparse(call.func))
        takes = [ast.unparse(one) for one in call.args]
        if depth < DEPTH_MAX and "request" in takes and inspect.isfunction(called):
            yield from _reached(called, depth + 1)


def _named(function: Any, name: str) -> Any:
    """What a function calls by this name: one of its module's, or another module's."""
    module, _, own = name.rpartition(".")
    if not module:
        return function.__globals__.get(name)
    found = function.__globals__.get(module)
    return getattr(found, own, None) if inspect.ismodule(found) else None


def _calls(function: Any) -> list[ast.Call]:
    return [node for node in ast.walk(_tree(function)) if isinstance(node, ast.Call)]


def _query(function: Any) -> Iterator[tuple[str, Schema]]:
    """Constants that are handed on with the request, taken from its query, or compared with its names."""
    for node in ast.walk(_tree(function)):
        match node:
            case ast.Call() if "request" in map(ast.unparse, node.args) or "query" in ast.unparse(node.func):
                kind = _KIND_OF_CALL.get(ast.unparse(node.func).rpartition(".")[2], STRING)
                yield from ((name, _schema(name, kind)) for name in _texts(node.args))
            case ast.Compare(left=ast.Name("name"), ops=[ast.In()], comparators=[ast.Tuple(elts=texts)]):
                yield from ((name, _schema(name, STRING)) for name in _texts(texts))


def _schema(name: str, kind: Schema) -> Schema:
    return LIST if name.endswith("[]") else kind


def _headers(function: Any) -> Iterator[str]:
    for call in _calls(function):
        if ast.unparse(call.func).endswith("headers.get"):
            yield from map(str.lower, _texts(call.args[:1]))


def _texts(nodes: list[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _NAME.fullmatch(node.value):
            yield node.value


@cache
def _tree(function: Any) -> ast.AST:
    return ast.parse(textwrap.dedent(inspect.getsource(function)))
