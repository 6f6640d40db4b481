"""What the source must look like so that nobody passes the gate by mistake. Each rule finds faults in one file.

They read the syntax, not the intention: somebody who wants to get around them can. They are for whoever forgets.
"""

import ast
import re
from collections.abc import Callable, Collection, Iterator
from functools import cache
from pathlib import Path, PurePosixPath

import msgspec

SOURCE = Path(__file__).parents[2] / "src" / "folkmoot"

MADE_BY_THE_GATE = frozenset({"Visible", "Permit", "Acting", "Lease", "Viewer", "Contact"})
KEPT_BY_THE_GATE = frozenset({"sanctions", "revocations"})
# What decides by a standing: whoever calls it outside the gate is a second place that checks accounts.
DECIDING = frozenset(
    {
        "TABLE",
        "TABLES",
        "may",
        "shown_to_others",
        "standings_of",
        "loses_rights",
        "holding",
        "is_hidden",
        "hosts_held",
    }
)
# What speaks to other hosts. Who takes one of these up takes a Contact, which only the gate makes.
CLIENTS = frozenset(
    {
        "open_connection",
        "http.client",
        "urllib.request",
        "httpx",
        "aiohttp",
        "requests",
        "urllib3",
        "pycurl",
        "smtplib",
    }
)
METHODS = frozenset({"get", "post", "put", "patch", "delete", "route", "head", "websocket", "asgi"})
FILLING = frozenset({"append", "appendleft", "add", "update", "setdefault", "insert", "extend"})
_WRITING_SQL = re.compile(r"\b(insert\s+into|update|delete\s+from)\s+(sanctions|revocations)\b", re.IGNORECASE)


class Module(msgspec.Struct, frozen=True):
    """One file of the package; `path` is within it, with slashes. `nodes`: all of the tree, walked once for all
    rules."""

    path: str
    tree: ast.Module
    nodes: tuple[ast.AST, ...]

    @property
    def room(self) -> str:
        return PurePosixPath(self.path).parts[0]

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name


Rule = Callable[[Module], Iterator[str]]


@cache
def modules() -> list[Module]:
    """All of the source; read by the first who asks, and not by every process that collects tests."""
    return [parse(path.relative_to(SOURCE).as_posix(), path.read_text()) for path in sorted(SOURCE.rglob("*.py"))]


def parse(path: str, source: str) -> Module:
    tree = ast.parse(source)
    return Module(path, tree, tuple(ast.walk(tree)))


def only_the_gate_makes(module: Module) -> Iterator[str]:
    """Nobody else constructs, subclasses, casts to or copies what only the gate may make."""
    if module.room == "gate":
        return
    made = _aliases(module, MADE_BY_THE_GATE)
    for node in module.nodes:
        if isinstance(node, ast.Call):
            called = _last_name(node.func)
            if called in made and not (made[called] == "Viewer" and not node.args and not node.keywords):
                yield _at(node, f"makes {made[called]}")
            elif called in ("cast", "__new__", "convert") and any(
                _mentions(argument, made) for argument in node.args
            ):
                yield _at(node, "makes one by the back door")
        elif isinstance(node, ast.ClassDef) and any(_last_name(base) in made for base in node.bases):
            yield _at(node, "subclasses what only the gate makes")
        elif _last_name(node) == "_MAKER" or (isinstance(node, ast.alias) and node.name == "_MAKER"):
            yield _at(node, "touches _MAKER")


def only_the_gate_writes(module: Module) -> Iterator[str]:
    """Standings and revocations are read by `queries.py` files and written by the gate."""
    if module.room in ("gate", "storage"):
        return
    for node in module.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _WRITING_SQL.search(node.value):
            yield _at(node, "writes a table of the gate")
        elif (
            isinstance(node, ast.Attribute) and node.attr in KEPT_BY_THE_GATE and _last_name(node.value) == "people"
        ):
            yield _at(node, f"reaches for {node.attr} by way of the module")
    names = [name for source, name, _ in _imports(module) if source.startswith("folkmoot.storage.tables")]
    if not KEPT_BY_THE_GATE & set(names):
        return
    if module.name != "queries.py":
        yield "imports a table of the gate, which only queries.py files read"
    for node in module.nodes:
        if isinstance(node, ast.Call) and _last_name(node.func) in ("insert", "update", "delete"):
            yield _at(node, "writes beside a table of the gate")


def actions_take_acting(module: Module) -> Iterator[str]:
    """Every public async function of an actions.py takes `acting: Acting` first."""
    if module.name != "actions.py":
        return
    for node in module.tree.body:
        if isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_"):
            first = (node.args.posonlyargs + node.args.args)[:1]
            if not first or first[0].arg != "acting" or _text(first[0].annotation) != "Acting":
                yield _at(node, f"{node.name} does not take acting: Acting first")


def only_signed_makes_keys(module: Module) -> Iterator[str]:
    """What opens a door by itself is made in one place, which asks for its kind in the register."""
    if module.path == "surfaces/signed.py":
        return
    for node in module.nodes:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        if any(name.partition(".")[0] in ("joserfc", "jwt") for name in names):
            yield _at(node, "signs or reads a key: surfaces/signed.py does that")


def clients_of(module: Module) -> Iterator[str]:
    """Libraries that speak to other hosts, where a module imports them."""
    for node in module.nodes:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        # Of attributes only this one: `services.requests` is a number.
        names += [node.attr] if isinstance(node, ast.Attribute) and node.attr == "open_connection" else []
        yield from (name for name in names if name in CLIENTS)


def presenters_take_visible(gated: Collection[str]) -> Rule:
    """Public functions and data of present*.py hold gated things as `Visible[...]` only."""

    def rule(module: Module) -> Iterator[str]:
        if module.room != "surfaces" or not module.name.startswith("present"):
            return
        for node in module.tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
                arguments = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
                annotations = [argument.annotation for argument in arguments]
            elif isinstance(node, ast.ClassDef):
                annotations = [part.annotation for part in node.body if isinstance(part, ast.AnnAssign)]
            else:
                continue
            for bare in {name for annotation in annotations for name in _bare(annotation) if name in gated}:
                yield _at(node, f"{node.name} takes {bare}, not Visible[{bare}]")

    return rule


def keeps_what_it_made(module: Module) -> Iterator[str]:
    """Functions of a surface that remember their answers, and containers of a module that its functions fill: what
    they hold outlives the request for which the gate was asked."""
    if module.room != "surfaces" or module.path.startswith("surfaces/cli/"):
        return
    names = {
        target.id
        for node in module.tree.body
        for target in (node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)])
        if isinstance(target, ast.Name)
    }
    for node in module.nodes:
        match node:
            case ast.FunctionDef(decorator_list=decorators) | ast.AsyncFunctionDef(decorator_list=decorators):
                called = [one.func if isinstance(one, ast.Call) else one for one in decorators]
                if any("cache" in _last_name(one).lower() or "memo" in _last_name(one).lower() for one in called):
                    yield node.name
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr)) if attr in FILLING:
                if name in names:
                    yield name
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store()) if name in names:
                yield name
            case ast.Global(names=changed):
                yield from changed


def gated_names(all_modules: list[Module]) -> frozenset[str]:
    """The classes that the gate decides about: those with `gate_facts`."""
    return frozenset(
        node.name
        for module in all_modules
        if module.room != "gate"
        for node in module.nodes
        if isinstance(node, ast.ClassDef)
        and any(isinstance(part, ast.FunctionDef) and part.name == "gate_facts" for part in node.body)
    )


def callers_of(module: Module, names: Collection[str]) -> Iterator[str]:
    """The names among `names` that a module uses, once each."""
    used = {_last_name(node) for node in module.nodes if isinstance(node, ast.Name | ast.Attribute)}
    yield from sorted(used & set(names))


def handlers_say_whom_they_serve(module: Module) -> Iterator[str]:
    """Every handler passes `opt=serves(...)`, and one that a token opens names the scope it takes."""
    litestar = {name for source, name, _ in _imports(module) if source == "litestar" and name in METHODS}
    declared = _declarations(module)
    for node in module.nodes:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for decorator in node.decorator_list:
            if not isinstance(decorator, ast.Call) or _last_name(decorator.func) not in litestar:
                continue
            opt = next((keyword.value for keyword in decorator.keywords if keyword.arg == "opt"), None)
            call = declared.get(opt.id) if isinstance(opt, ast.Name) else opt
            if not isinstance(call, ast.Call) or _last_name(call.func) != "serves":
                yield _at(node, f"{node.name} does not pass opt=serves(...)")
            else:
                yield from _declaration_faults(node, call)


def _declaration_faults(node: ast.FunctionDef | ast.AsyncFunctionDef, call: ast.Call) -> Iterator[str]:
    whom = _last_name(call.args[0]) if call.args else ""
    named = {keyword.arg for keyword in call.keywords}
    if whom in ("SIGNED_IN", "MODERATOR") and len(call.args) < 3 and "scope" not in named:
        yield _at(node, f"{node.name} opens to a token of any scope")
    takes = {argument.arg for argument in node.args.args + node.args.kwonlyargs}
    if whom == "NOBODY" and "permit" in takes:
        yield _at(node, f"{node.name} takes a permit and says that it serves nobody")


def _declarations(module: Module) -> dict[str, ast.expr]:
    return {
        target.id: node.value
        for node in module.tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _imports(module: Module) -> Iterator[tuple[str, str, str]]:
    """(module, name, name here) of every `from … import …`."""
    for node in module.nodes:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield node.module or "", alias.name, alias.asname or alias.name


def _aliases(module: Module, names: Collection[str]) -> dict[str, str]:
    """What the names are called in this file, besides by themselves."""
    return {name: name for name in names} | {here: name for _, name, here in _imports(module) if name in names}


def _last_name(node: ast.AST | None) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=value):
            return _last_name(value)
    return ""


def _mentions(node: ast.AST, names: Collection[str]) -> bool:
    quoted = re.compile("|".join(rf"\b{name}\b" for name in names))
    return any(
        _last_name(part) in names
        or (isinstance(part, ast.Constant) and isinstance(part.value, str) and quoted.search(part.value))
        for part in ast.walk(node)
    )


def _bare(annotation: ast.expr | None) -> Iterator[str]:
    """The names of an annotation that stand outside of Visible[...]."""
    if annotation is None or (isinstance(annotation, ast.Subscript) and _last_name(annotation) == "Visible"):
        return
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        yield from _bare(ast.parse(annotation.value, mode="eval").body)
    elif isinstance(annotation, ast.Name | ast.Attribute):
        yield _last_name(annotation)
    else:
        for part in ast.iter_child_nodes(annotation):
            if isinstance(part, ast.expr):
                yield from _bare(part)


def _text(node: ast.expr | None) -> str:
    return "" if node is None else ast.unparse(node).strip("'\"")


def _at(node: ast.AST, what: str) -> str:
    return f"line {getattr(node, 'lineno', '?')}: {what}"
