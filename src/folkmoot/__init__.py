"""Folkmoot: a self-hosted public square with live audio. `docs/architecture.md` is the map."""

__version__ = "0.1.0"
