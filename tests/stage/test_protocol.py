"""After an upgrade without a restart, web and worker of the new version speak to stages of the one before."""

import hashlib
from typing import Any

import msgspec

from folkmoot.stage import protocol


def test_what_is_said_changes_only_with_the_version() -> None:
    """Would a stage that runs since yesterday understand you, and you it? Raise VERSION, unless they would."""
    _, schemas = msgspec.json.schema_components([protocol.Request, protocol.Reply, protocol.Pushed])
    fingerprint = hashlib.sha256(msgspec.json.encode(_without_words(schemas), order="deterministic")).hexdigest()
    assert (protocol.VERSION, fingerprint[:16]) == (1, "31ab104f27f0521b")


def _without_words(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {name: _without_words(each) for name, each in schema.items() if name != "description"}
    return [_without_words(each) for each in schema] if isinstance(schema, list) else schema
