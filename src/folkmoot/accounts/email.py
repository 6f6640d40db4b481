"""One mailbox, however its address is written. Pure.

What is compared is never what is written to: an address is kept as its owner gave it.
"""

import unicodedata

import idna
import msgspec


class Provider(msgspec.Struct, frozen=True):
    """What a provider of mailboxes ignores in the part before the @, by what it says in public."""

    domain: str  # under which all its names for one mailbox are one
    tags: bool = True  # everything from the first + on
    ignored: str = ""  # characters


_OF_NAMES: dict[str, Provider] = {
    "gmail.com googlemail.com": Provider("gmail.com", ignored="."),
    "icloud.com me.com mac.com": Provider("icloud.com"),
    "proton.me protonmail.com protonmail.ch pm.me": Provider("proton.me", ignored=".-_"),
    "yandex.ru yandex.com yandex.by yandex.kz ya.ru": Provider("yandex.ru"),
}
# Each domain has mailboxes of its own.
_WITH_TAGS = """
    fastmail.com fastmail.fm outlook.com outlook.de outlook.fr outlook.es outlook.it hotmail.com hotmail.co.uk
    hotmail.de hotmail.fr hotmail.it hotmail.es live.com live.co.uk live.de live.fr live.nl msn.com zoho.com
    zohomail.com posteo.de posteo.net mailbox.org tutanota.com tuta.com runbox.com pobox.com disroot.org
"""
_PROVIDERS: dict[str, Provider] = {
    name: provider for names, provider in _OF_NAMES.items() for name in names.split()
} | {name: Provider(name) for name in _WITH_TAGS.split()}
# anything@name.fastmail.com arrives at name@fastmail.com.
_NAMED_BY_SUBDOMAIN = ("fastmail.com", "fastmail.fm")


def canonical_email(address: str) -> str:
    """The form in which addresses of one mailbox are equal: case, IDNA (RFC 5891 after UTS 46), and what its
    provider ignores. Of an unknown provider's names nothing is taken away: there they may be several people."""
    local, _, domain = address.rpartition("@")
    local, domain = _folded(local), canonical_domain(domain)
    name, _, rest = domain.partition(".")
    if rest in _NAMED_BY_SUBDOMAIN:
        local, domain = name, rest
    provider = _PROVIDERS.get(domain)
    if provider is None:
        return f"{local}@{domain}"
    kept = local.partition("+")[0] if provider.tags else local
    kept = kept.translate(dict.fromkeys(map(ord, provider.ignored)))
    return f"{kept or local}@{provider.domain}"


def canonical_domain(domain: str) -> str:
    """The domain as DNS knows it (xn--…), in lower case; one that IDNA doesn't know, folded."""
    folded = _folded(domain).rstrip(".")
    try:
        return idna.encode(folded, uts46=True).decode()
    except idna.IDNAError:
        return folded


def _folded(text: str) -> str:
    """Without the differences of case and of compatible characters. What folding makes can be folded again."""
    folded = unicodedata.normalize("NFKC", text.lower())
    return folded if folded == text else _folded(folded)
