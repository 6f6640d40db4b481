"""Keys: made once, kept from others, never replaced."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from folkmoot.storage.keys import KeyUnusable, load_or_create_key


def test_a_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    directory = tmp_path / "keys"
    key = load_or_create_key(directory, "tickets")
    assert len(key) == 32
    assert load_or_create_key(directory, "tickets") == key
    assert load_or_create_key(directory, "other") != key
    assert (directory / "tickets.key").stat().st_mode & 0o777 == 0o600
    assert directory.stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in directory.iterdir()) == ["other.key", "tickets.key"]


def test_all_who_come_at_once_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: load_or_create_key(tmp_path / "keys", "tickets"), range(8)))
    assert len(keys) == 1


def test_a_key_that_was_cut_off_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "tickets.key").write_bytes(b"short")
    with pytest.raises(KeyUnusable, match="restore it"):
        load_or_create_key(tmp_path, "tickets")
