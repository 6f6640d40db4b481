"""Settings: from `FOLKMOOT_*` variables, a TOML file, or the command line; documented in docs/settings.md.

A wrong one stops the start with a sentence that says what to write instead.
"""

import difflib
import importlib.util
import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec

PREFIX = "FOLKMOOT_"
AUDIENCE_WORKERS_MAX = 64
FILES_PER_WORKER = 19_000  # where a process may have 20,000 open
FILES_PER_TAPE = 4  # audience.worker's, of a Space that is heard at one worker
_MEDIA_SCHEMES = ("s3", "s3a", "gs", "az", "adl", "azure", "abfs", "abfss")
# RFC 7064 and RFC 7065.
_PORT_RANGE = re.compile(r"(\d{1,5})-(\d{1,5})")
# One live Space's share; serve/ports.py says why.
UDP_PORTS_PER_STAGE = 80
_SECRETS = ("database", "turn_secret", "smtp_password")  # never shown, also when they are wrong
_ICE_SERVER = re.compile(
    r"(stun|turn)s?:(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:(?P<port>\d{1,5}))?(\?transport=(udp|tcp))?"
)
_SENDER = re.compile(r"[^\s<>@]+@[^\s<>@]+|[^<>@\r\n]+ <[^\s<>@]+@[^\s<>@]+>")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class SettingsError(Exception):
    """A setting is wrong; the message says which, why, and what to write instead."""


class NotThereYet(SettingsError):
    """What a setting names can't be had now. It may come without a word of anybody: who supervises starts again."""


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
    """Object store for media and copies of recordings, such as `s3://bucket/folder`. Empty: the folder `media`."""
    tape_local_days: Annotated[int, msgspec.Meta(ge=0, le=36_500)] = 30
    """With a bucket in `media`: how many days after its end a recording stays on this disk, too."""
    remote_media_mb: Annotated[int, msgspec.Meta(ge=1, le=10_000_000)] = 2_000
    """How many MB of files of other servers are kept in `data`; what was asked for longest ago goes first."""
    title: str = "Folkmoot"
    """What the server calls itself."""
    registrations: Literal["open", "approval", "closed"] = "open"
    """Who may make an account: anybody, whoever the owner approves, or nobody."""
    invites: Literal["nobody", "moderators", "everybody"] = "moderators"
    """Whose invites let people in, also where registrations are closed or need approval."""
    contact: str = ""
    """Where people reach whoever runs the server, such as an e-mail address, also when they can't get in."""
    smtp_host: str = ""
    """Mail server that takes letters to people, such as `smtp.example`. Empty: no mail; links are handed out."""
    smtp_port: Annotated[int, msgspec.Meta(ge=1, le=65535)] | None = None
    """Its port. Empty: 587 with `starttls`, 465 with `tls`, 25 with `none`."""
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    """How the way there is protected. `none` is for a mail server on this machine."""
    smtp_user: str = ""
    """The name that the mail server knows. Empty: it asks for none."""
    smtp_password: str = ""
    """The password for it."""
    mail_from: str = ""
    """The address that letters come from, such as `moot@example.org` or `The Moot <moot@example.org>`."""
    moderators_second_factor: bool = False
    """Moderators and owners moderate only once their account has a second factor (codes, or a passkey)."""
    reports_kept_days: Annotated[int, msgspec.Meta(ge=1, le=36_500)] = 180
    """How many days after it was closed a report is kept, with what was reported as it was then."""
    push_to_private_networks: bool = False
    """Whether Web Push may go to addresses of private networks, such as a push service of one's own."""
    source_url: str = ""
    """Where this server's source code is; every page links to it. Empty: the server hands out its own."""
    tls_certificate: str = ""
    """File of the certificate chain (PEM) with which the server speaks HTTPS itself. Empty: it speaks HTTP."""
    tls_key: str = ""
    """File of the certificate's key (PEM, without a password)."""
    trusted_proxies: list[str] = []
    """Addresses or networks of reverse proxies whose `X-Forwarded-For` is believed."""
    audience_workers: Annotated[int, msgspec.Meta(ge=1, le=AUDIENCE_WORKERS_MAX)] | None = None
    """Processes that write sound to listeners. Empty: one per core, and one per 19,000 of `listeners_max`."""
    listeners_max: Annotated[int, msgspec.Meta(ge=0)] | None = None
    """Listeners connected at a time, in all Spaces; who comes then hears HLS. Empty: as many as are on time."""
    metrics_port: Annotated[int, msgspec.Meta(ge=1, le=65535)] | None = None
    """Port of 127.0.0.1 at which `/metrics` is answered without a token. Empty: none."""
    live_spaces_max: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Spaces that may be live at a time. Empty: as many as processor and memory carry, by what is measured."""
    whep_listeners_max: Annotated[int, msgspec.Meta(ge=0, le=50)] = 50
    """Listeners of one Space who may hear it by WebRTC (WHEP), with the lowest delay. 0: none."""
    noise_suppression: bool = False
    """Take the noise out of each speaker's sound on the server; needs the extra `noise` (`livekit`)."""
    ice_servers: list[str] = []
    """STUN and TURN servers for speakers behind routers and firewalls, such as `turn:turn.example:3478`."""
    turn_secret: str = ""
    """What the TURN servers of `ice_servers` call `static-auth-secret`: credentials are made of it."""
    turn_valid_s: Annotated[int, msgspec.Meta(ge=60, le=86_400)] = 3600
    """How long credentials for the TURN servers are good, in seconds."""
    public_address: str = ""
    """IP address under which speakers reach this machine, if it is not one of its own."""
    udp_ports: str = ""
    """UDP ports for the sound of speakers, such as `50000-50999`. Empty: any."""
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
        value = "what it is" if name in _SECRETS else f"“{values[name]}”"
        raise SettingsError(
            f"The setting {name} can't be {value}: {str(error).partition(' - at')[0]}. "
            f"Its default is “{field.default}”; see docs/settings.md."
        ) from error


def _check(settings: Settings) -> None:
    _check_addresses(settings)
    _check_network(settings)
    _check_mail(settings)
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        missing = "tls_key" if settings.tls_certificate else "tls_certificate"
        raise SettingsError(f"HTTPS needs both a certificate and its key: set {missing} to the name of its file.")
    if settings.noise_suppression and importlib.util.find_spec("livekit") is None:
        raise SettingsError(
            "The setting noise_suppression needs the package livekit: pip install 'folkmoot[noise]', or set it off."
        )
    for proxy in settings.trusted_proxies:
        try:
            ipaddress.ip_network(proxy)
        except ValueError as error:
            raise SettingsError(
                f"The setting trusted_proxies holds “{proxy}”: write addresses or networks such as 10.0.0.0/8."
            ) from error


def _check_network(settings: Settings) -> None:
    """How speakers reach the stages."""
    for server in settings.ice_servers:
        if not _is_ice_server(server):
            raise SettingsError(
                f"The setting ice_servers holds “{server}”: write addresses such as stun:stun.example:3478."
            )
        if server.startswith("turn") and not settings.turn_secret:
            raise SettingsError(
                f"The setting ice_servers holds “{server}”, and a TURN server serves nobody without a password: "
                "set turn_secret to what that server calls static-auth-secret."
            )
    if settings.public_address and not _is_reachable(settings.public_address):
        raise SettingsError(
            f"The setting public_address can't be “{settings.public_address}”: write an IP address under which "
            "others reach this machine, such as 203.0.113.5."
        )
    if settings.udp_ports and udp_ports(settings) is None:
        raise SettingsError(
            f"The setting udp_ports can't be “{settings.udp_ports}”: write the first and the last of at least "
            f"{UDP_PORTS_PER_STAGE}, from 1024 to 65535, such as 50000-50999."
        )


def _check_mail(settings: Settings) -> None:
    if not settings.smtp_host:
        return
    if not _SENDER.fullmatch(settings.mail_from):
        shown = " ".join(settings.mail_from.split())
        raise SettingsError(
            f"The setting mail_from can't be “{shown}”: write the address that letters come from, "
            "such as moot@example.org."
        )
    if settings.smtp_user and settings.smtp_security == "none" and settings.smtp_host not in _LOOPBACK:
        raise SettingsError(
            "The setting smtp_security can't be “none” where a password leaves this machine: write starttls or tls."
        )


def _is_ice_server(address: str) -> bool:
    found = _ICE_SERVER.fullmatch(address)
    return found is not None and int(found["port"] or 1) in range(1, 65_536)


def _is_reachable(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return not (parsed.is_unspecified or parsed.is_multicast or parsed.is_link_local)


def audience_workers(settings: Settings) -> int:
    """How many processes write sound to listeners."""
    if settings.audience_workers is not None:
        return settings.audience_workers
    cores = len(os.sched_getaffinity(0))
    wanted = workers_for(settings.listeners_max or 0, settings.live_spaces_max or 0, cores)
    return min(AUDIENCE_WORKERS_MAX, wanted)


def workers_for(listeners: int, spaces: int, cores: int) -> int:
    """How many audience workers so many take: one a core at least, and enough files for sockets and tapes."""
    files = listeners + FILES_PER_TAPE * spaces
    return max(cores, -(-files // FILES_PER_WORKER))


def udp_ports(settings: Settings) -> range | None:
    """The UDP ports that stages may use; None for any."""
    found = _PORT_RANGE.fullmatch(settings.udp_ports)
    if found is None:
        return None
    first, last = int(found[1]), int(found[2])
    is_usable = first >= 1024 and last <= 65_535 and last - first + 1 >= UDP_PORTS_PER_STAGE
    return range(first, last + 1) if is_usable else None


def _check_addresses(settings: Settings) -> None:
    if settings.base_url and not _is_origin(settings.base_url):
        raise SettingsError(
            f"The setting base_url can't be “{settings.base_url}”: write a scheme and a host and nothing after, "
            "such as https://moot.example."
        )
    # Not its value: there can be a password in it.
    if settings.database and not settings.database.startswith(("postgresql+psycopg://", "sqlite+aiosqlite:///")):
        raise SettingsError(
            "The setting database has to begin with postgresql+psycopg:// (or be left empty for SQLite)."
        )
    scheme, separator, bucket = settings.media.partition("://")
    if separator and (scheme not in _MEDIA_SCHEMES or not bucket.strip("/")):
        raise SettingsError(
            f"The setting media can't begin with “{scheme}://”: write a folder, or a bucket such as "
            "s3://bucket/folder."
        )


def _is_origin(address: str) -> bool:
    """Whether it is a scheme, a host and at most a port (RFC 6454)."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return False
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    origin = f"{parts.scheme}://{host}" + ("" if port is None else f":{port}")
    return parts.scheme in ("http", "https") and bool(host) and origin == address.lower()


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f" Did you mean {near[0]}?" if near else f" The settings are: {', '.join(known)}."
