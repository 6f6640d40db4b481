"""What clients show of the server beside `instance`: https://docs.joinmastodon.org/methods/instance/.

What a list is empty for does not exist here (yet).
"""

import hashlib
from typing import Any

import msgspec
from litestar import Response, get

from folkmoot.accounts import queries
from folkmoot.accounts.model import Page
from folkmoot.gate import Serves, Standing
from folkmoot.moderation.hosts import queries as hosts
from folkmoot.moderation.hosts.model import Decided
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.mastodon.instance import DESCRIPTION
from folkmoot.surfaces.security import NO_STORE
from folkmoot.surfaces.services import Services

HOSTS_MAX = 5_000
_NOBODY = serves(Serves.NOBODY)
_SEVERITIES = {Standing.LIMITED: "silence", Standing.SUSPENDED: "suspend"}
# Those that the web client offers when one writes (ISO 639-1), by how they are called in English.
_LANGUAGES = (
    "ar Arabic,bg Bulgarian,bn Bangla,bs Bosnian,ca Catalan,cs Czech,cy Welsh,da Danish,de German,el Greek,"
    "en English,eo Esperanto,es Spanish,et Estonian,eu Basque,fa Persian,fi Finnish,fr French,ga Irish,"
    "gl Galician,he Hebrew,hi Hindi,hr Croatian,hu Hungarian,hy Armenian,id Indonesian,is Icelandic,"
    "it Italian,ja Japanese,ka Georgian,kab Kabyle,ko Korean,ku Kurdish,lb Luxembourgish,lt Lithuanian,"
    "lv Latvian,mk Macedonian,ml Malayalam,ms Malay,nb Norwegian Bokmål,nl Dutch,nn Norwegian Nynorsk,"
    "oc Occitan,pa Punjabi,pl Polish,pt Portuguese,ro Romanian,ru Russian,sk Slovak,sl Slovenian,sq Albanian,"
    "sr Serbian,sv Swedish,sw Swahili,ta Tamil,te Telugu,th Thai,tl Tagalog,tr Turkish,uk Ukrainian,ur Urdu,"
    "vi Vietnamese,yi Yiddish,zh Chinese"
)
LANGUAGES = {code: name for code, _, name in (one.partition(" ") for one in _LANGUAGES.split(","))}
"""Names of languages, by their codes (ISO 639)."""


class Week(msgspec.Struct):
    """Numbers as text, as Mastodon writes them. `week`: when it began, in Unix seconds. `logins`: who wrote
    something or signed in."""

    week: str
    statuses: str
    logins: str
    registrations: str


class BlockedHost(msgspec.Struct):
    """https://docs.joinmastodon.org/entities/DomainBlock/"""

    domain: str
    digest: str  # SHA-256 of the domain
    severity: str
    comment: str


class Language(msgspec.Struct):
    code: str
    name: str


class Words(msgspec.Struct):
    """A text of the server's, as HTML."""

    updated_at: str | None
    content: str


@get("/api/v1/instance/rules", opt=_NOBODY)
async def rules() -> list[Any]:
    """The rules of the server, as `instance` has them."""
    return []


@get("/api/v1/instance/peers", opt=_NOBODY)
async def peers() -> list[str]:
    """Other servers that this one knows of: none yet."""
    return []


@get("/api/v1/instance/activity", opt=_NOBODY)
async def activity(services: Services) -> list[Week]:
    """Of the last twelve weeks, the newest first, how much was posted, and how many were active and came."""
    async with services.database.read() as read:
        found = await services.counts.weeks(read)
    return [
        Week(str(one.began_ms // 1000), str(one.posts), str(one.active), str(one.registrations)) for one in found
    ]


@get("/api/v1/instance/domain_blocks", opt=_NOBODY)
async def domain_blocks(services: Services) -> list[BlockedHost]:
    """Which other servers are limited or suspended here, and why: what was decided is no secret."""
    async with services.database.read() as read:
        found = await hosts.page_of(read, hosts.BLOCKED, Page(limit=HOSTS_MAX))
    return [_blocked(one) for one in sorted(found, key=lambda one: one.host)]


@get("/api/v1/instance/translation_languages", opt=_NOBODY)
async def translation_languages() -> dict[str, list[str]]:
    """Which languages are translated into which: none."""
    return {}


@get("/api/v1/instance/languages", opt=_NOBODY)
async def languages() -> list[Language]:
    """Languages that one may say a post is in; any other tag of BCP 47 is taken, too."""
    return [Language(code, name) for code, name in LANGUAGES.items()]


@get("/api/v1/instance/extended_description", opt=_NOBODY)
async def extended_description() -> Words:
    """What the server says of itself, as HTML."""
    return Words(None, f"<p>{DESCRIPTION}</p>")


@get("/api/v1/instance/privacy_policy", opt=_NOBODY)
async def privacy_policy(services: Services) -> Words:
    """What is kept of whom, as far as the software decides that: where it is written down."""
    source = services.site.source_url
    return Words(
        None,
        "<p>What this server keeps of people, what for and for how long is written down in "
        f'<code>docs/data.md</code> of its source: <a href="{source}" rel="noopener">{source}</a>. Whoever is '
        "signed in can take their own data with them, and delete their account, in the settings.</p>",
    )


@get("/health", opt=_NOBODY)
async def health(services: Services) -> Response[dict[str, str]]:
    """That the web process answers, and the database it: for whoever watches over servers."""
    async with services.database.read() as read:
        await queries.owner_id(read)
    return Response({"status": "UP"}, headers=NO_STORE)


def _blocked(one: Decided) -> BlockedHost:
    digest = hashlib.sha256(one.host.encode()).hexdigest()
    return BlockedHost(one.host, digest, _SEVERITIES[one.sanction.standing], one.sanction.reason)


HANDLERS: list[Any] = [
    rules,
    peers,
    activity,
    domain_blocks,
    translation_languages,
    languages,
    extended_description,
    privacy_policy,
    health,
]
