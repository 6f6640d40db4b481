"""Markers as plain data."""

from enum import StrEnum

import msgspec


class Timeline(StrEnum):
    """What has a marker; the values are those of the Mastodon API."""

    HOME = "home"
    NOTIFICATIONS = "notifications"


class Marker(msgspec.Struct, frozen=True):
    """Shown to its owner only. `version` counts how often it was moved."""

    last_read_id: int
    version: int
    updated_at_ms: int
