"""Settings: from `FOLKMOOT_*` variables, a TOML file, or the command line; documented in docs/settings.md.

A wrong one stops the start with a sentence that says what to write instead.
"""

import difflib
import ipaddress
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec

PREFIX = "FOLKMOOT_"


class SettingsError(Exception):
    """A setting is wrong; the message says which, why, and what to write instead."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every setting with its default. The name in upper case after `FOLKMOOT_` is its variable."""

    data: str = "data"
    """Directory of the database, the tapes, media and keys. Made if it isn't there."""
    host: str = "127.0.0.1"
    """Address that the web server listens on; `0.0.0.0` for all of IPv4, `::` for all."""
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] | None = None
    """Port that the web server listens on; 0 takes a free one. Empty: 8000, or the next one that is free."""
    base_url: str = ""
    """Address that people use, such as `https://moot.example`. Empty: `http://HOST:PORT`."""
    database: str = ""
    """Database address, such as `postgresql+psycopg://user:password@host/name`. Empty: SQLite in `data`."""
    media: str = ""
    """Object store for media, such as `s3://bucket/folder`. Empty: the folder `media` in `data`."""
    title: str = "Folkmoot"
    """What the server calls itself."""
    registrations: Literal["open", "approval", "closed"] = "open"
    """Who may make an account: anybody, whoever the owner approves, or nobody."""
    source_url: str = "https://example.org/folkmoot"
    """Where this server's source code is (the licence asks every page to link to it)."""
    trusted_proxies: list[str] = []
    """Addresses or networks of reverse proxies whose `X-Forwarded-For` is believed."""
    audience_workers: Annotated[int, msgspec.Meta(ge=1, le=64)] = 1
    """Processes that write sound to listeners: one per 19,000 listeners, at most one per core."""
    ice_servers: list[str] = []
    """STUN servers for speakers behind routers, such as `stun:stun.example:3478`."""
    public_address: str = ""
    """IP address under which speakers reach this machine, if it is not one of its own."""
    log: Literal["debug", "info", "warning", "error"] = "info"
    """What is logged, to standard error, a JSON object a line when that is not a terminal."""


def load(
    environment: Mapping[str, str] | None = None,
    file: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """Settings from the file, then the environment, then the command line; the later wins.

    Raises SettingsError with one sentence.
    """
    environment = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    chosen = file or (Path(environment["FOLKMOOT_CONFIG"]) if environment.get("FOLKMOOT_CONFIG") else None)
    if chosen is not None:
        values |= _from_file(chosen)
    values |= _from_environment(environment)
    values |= {name: value for name, value in (overrides or {}).items() if value is not None}
    settings = _convert(values)
    _check(settings)
    return settings


def _from_file(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text())
    except OSError as error:
        raise SettingsError(f"The settings file {file} can't be read ({error.strerror}).") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"The settings file {file} is not valid TOML: {error}.") from error


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    known = {field.name: field for field in msgspec.structs.fields(Settings)}
    values: dict[str, Any] = {}
    for variable, value in environment.items():
        name = variable.removeprefix(PREFIX).lower()
        if not variable.startswith(PREFIX) or name == "config":
            continue
        if name not in known:
            raise SettingsError(f"There is no setting {variable}.{_nearest(name, known)}")
        is_list = known[name].type == list[str]
        values[name] = [part.strip() for part in value.split(",") if part.strip()] if is_list else value
    return values


def _convert(values: dict[str, Any]) -> Settings:
    for name in values:
        if name not in Settings.__struct_fields__:
            known = dict.fromkeys(Settings.__struct_fields__)
            raise SettingsError(f"There is no setting “{name}”.{_nearest(name, known)}")
    try:
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        name = str(error).rpartition("`$.")[2].rstrip("`").partition("[")[0]
        field = {field.name: field for field in msgspec.structs.fields(Settings)}[name]
        raise SettingsError(
            f"The setting {name} can't be “{values[name]}”: {str(error).partition(' - at')[0]}. "
            f"Its default is “{field.default}”; see docs/settings.md."
        ) from error


def _check(settings: Settings) -> None:
    parts = urlsplit(settings.base_url)
    if settings.base_url and (
        parts.scheme not in ("http", "https") or not parts.netloc or parts.path or parts.query
    ):
        raise SettingsError(
            f"The setting base_url can't be “{settings.base_url}”: write a scheme and a host and nothing after, "
            "such as https://moot.example."
        )
    if settings.database and not settings.database.startswith(("postgresql+psycopg://", "sqlite+aiosqlite://")):
        raise SettingsError(
            "The setting database has to begin with postgresql+psycopg:// (or be left empty for SQLite)."
        )
    for proxy in settings.trusted_proxies:
        try:
            ipaddress.ip_network(proxy)
        except ValueError as error:
            raise SettingsError(
                f"The setting trusted_proxies holds “{proxy}”: write addresses or networks such as 10.0.0.0/8."
            ) from error
    if settings.public_address:
        try:
            ipaddress.ip_address(settings.public_address)
        except ValueError as error:
            raise SettingsError(
                f"The setting public_address can't be “{settings.public_address}”: write an IP address."
            ) from error


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f" Did you mean {near[0]}?" if near else f" The settings are: {', '.join(known)}."
