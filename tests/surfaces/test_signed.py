"""Keys that this server signs; and that none is forgotten where what is held is looked for after a suspension."""

import pytest
from tests.surfaces.sweep import HELD, KEPT_AS_HASH

from folkmoot.gate.register import Key
from folkmoot.storage.tables import metadata
from folkmoot.surfaces import signed

SECRET, NOW_MS = b"k" * 32, 1_000_000


def made(kind: Key = Key.LISTEN_TICKET, audience: str = "space:1", expires_s: int = 1_001) -> str:
    return signed.sign(SECRET, kind, audience, expires_s, {"stamps": [["account:1", 2]]})


def test_it_says_what_it_was_made_with() -> None:
    claims = signed.read(SECRET, [Key.LISTEN_TICKET], "space:1", made(), NOW_MS)
    assert claims["stamps"] == [["account:1", 2]]


@pytest.mark.parametrize(
    "text",
    [
        made(Key.MEDIA_LINK),
        made(audience="space:2"),
        made(expires_s=1_000),
        made()[:-2] + "AA",
        "",
        "no.key.at-all",
        signed.sign(b"x" * 32, Key.LISTEN_TICKET, "space:1", 1_001, {}),
    ],
    ids=["another kind", "another audience", "over", "forged", "empty", "no key", "another server's"],
)
def test_what_is_no_such_key_is_unreadable(text: str) -> None:
    with pytest.raises(signed.Unreadable):
        signed.read(SECRET, [Key.LISTEN_TICKET], "space:1", text, NOW_MS)


def test_every_kind_of_key_is_held() -> None:
    assert HELD.keys() == set(Key)


def test_what_is_kept_as_a_hash_is_known() -> None:
    columns = {f"{table}.{column.name}" for table in metadata.sorted_tables for column in table.columns}
    assert {name for name in columns if name.endswith("_hash")} == KEPT_AS_HASH.keys()
