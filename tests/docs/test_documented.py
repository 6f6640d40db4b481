"""What can be set, called or typed is in the docs; what the docs name exists."""

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
import typer.main
from litestar.handlers import HTTPRouteHandler

from folkmoot.__main__ import app as command_line
from folkmoot.app import openapi_document
from folkmoot.settings import Settings
from folkmoot.surfaces.handlers import FOR_PROGRAMS, OTHERS, OWN_API
from folkmoot.surfaces.http import SURFACE
from folkmoot.surfaces.mastodon.streams.sockets import SOCKET
from folkmoot.surfaces.spaces.listen import STREAMS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def text_of(name: str) -> str:
    return (ROOT / name).read_text()


def test_every_setting_is_documented_with_its_default_and_no_other() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", text_of("docs/settings.md"), re.MULTILINE)
    assert dict(rows) == {setting.name: _shown(setting) for setting in msgspec.structs.fields(Settings)}


def _shown(setting: msgspec.structs.FieldInfo) -> str:
    default = setting.default if setting.default is not msgspec.NODEFAULT else setting.default_factory()
    return "empty" if default in ("", None, []) else f"`{default}`"


def commands() -> list[str]:
    found: list[str] = []

    def walk(command: object, path: str) -> None:
        children = getattr(command, "commands", None)
        if children is None:
            found.append(path)
            return
        for name, child in children.items():
            walk(child, f"{path} {name}")

    walk(typer.main.get_command(command_line), "folkmoot")
    return found


def test_every_command_is_documented() -> None:
    documented = text_of("docs/cli.md")
    assert [command for command in commands() if f"`{command}" not in documented] == []


def endpoints(handlers: Sequence[HTTPRouteHandler] = (*OWN_API, *OTHERS)) -> list[str]:
    found = {
        f"{method} {re.sub(r':[a-z]+', '', path)}"
        for handler in handlers
        for path in handler.paths
        for method in handler.http_methods - {"HEAD", "OPTIONS"}
    }
    return sorted(found)


def test_every_endpoint_is_documented_with_the_scope_that_a_program_needs() -> None:
    documented = text_of("docs/api.md")
    assert [endpoint for endpoint in endpoints() if f"`{endpoint}`" not in documented] == []
    rows = dict(re.findall(r"^\| `([A-Z]+ [^`]+)` \| [^|]+ \| ?(.*?) ?\|", documented, re.MULTILINE))
    scopes = {
        endpoint: f"`{handler.opt[SURFACE].scope}`" if handler.opt[SURFACE].scope else ""
        for handler in (*OWN_API, *OTHERS)
        for endpoint in endpoints([handler])
    }
    assert {endpoint: rows.get(endpoint) for endpoint in scopes} == scopes


def test_the_web_clients_types_are_made_from_the_api_as_it_is() -> None:
    exported = msgspec.json.decode((ROOT / "web/openapi.json").read_bytes())
    described = msgspec.json.decode(openapi_document())["components"]["schemas"]
    ours = {name: schema for name, schema in described.items() if not name.startswith("mastodon.")}
    assert exported["components"]["schemas"] == ours, "run `make types`"


def test_everything_for_programs_is_in_the_openapi_document() -> None:
    described = msgspec.json.decode(openapi_document())["paths"]
    there = {f"{method.upper()} {path}" for path, methods in described.items() for method in methods}
    assert there == {*endpoints([*OWN_API, *FOR_PROGRAMS]), SOCKET.name, *(surface.name for surface in STREAMS)}


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_files_that_the_docs_name_exist(page: Path) -> None:
    named = re.findall(r"`((?:src|tests|docs|web|scripts|deploy)/[\w./-]+)`", page.read_text())
    assert not [name for name in named if not (ROOT / name).exists()]


def test_what_the_readme_links_to_exists() -> None:
    linked = re.findall(r"\]\((?!https?:)([^)#]+)", text_of("README.md"))
    assert linked
    assert not [path for path in linked if not (ROOT / path).exists()]


def test_what_mastodon_documents_is_there_or_said_not_to_be() -> None:
    documented = set(text_of("tests/docs/mastodon_methods.txt").splitlines())
    there = {re.sub(r"{\w+}", "{}", endpoint) for endpoint in endpoints()}
    _, _, said = text_of("docs/api.md").partition("### What of Mastodon 4.5 is there")
    table = [line for line in said.partition("\n## ")[0].splitlines() if line.startswith("| `")]
    missing = {name for line in table for name in re.findall(r"`([A-Z]+ /[^`]+)`", line.split("|")[1])}
    assert documented - there == missing
