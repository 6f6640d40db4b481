"""Every table, one file an area: the shape that the migrations build (`storage/migrations/`) and queries read.

Times are Unix milliseconds (`_ms`); identifiers are the 64-bit ids of `storage/ids.py`; booleans are booleans on
both databases. Secrets are stored as SHA-256 digests (tokens, codes, links) or argon2id strings (passwords).
"""

from folkmoot.storage.tables import (
    bus,
    credentials,
    joining,
    moderation,
    notifications,
    people,
    posts,
    reading,
    relations,
    search,
    spaces,
)
from folkmoot.storage.tables.base import metadata

__all__ = [
    "bus",
    "credentials",
    "joining",
    "metadata",
    "moderation",
    "notifications",
    "people",
    "posts",
    "reading",
    "relations",
    "search",
    "spaces",
]
