"""`folkmoot admin` where there is no server, because its directory was mistyped or it has not begun."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from folkmoot.serve.admin import admin


@pytest.mark.parametrize("words", [["list"], ["suspend", "bela", "--reason", "x"], ["password", "bela"]])
def test_a_mistyped_directory_is_not_made(tmp_path: Path, words: list[str]) -> None:
    missing = tmp_path / "typo"
    result = CliRunner().invoke(admin, ["--data", str(missing), *words])
    assert result.exit_code == 1
    assert result.stderr == f"There is no database in {missing}. Is that the server's data directory?\n"
    assert not missing.exists()


def test_its_help_needs_no_database(tmp_path: Path) -> None:
    result = CliRunner().invoke(admin, ["--data", str(tmp_path / "typo"), "list", "--help"])
    assert result.exit_code == 0
    assert not (tmp_path / "typo").exists()


def test_the_first_account_begins_one(tmp_path: Path) -> None:
    begun = str(tmp_path / "new")
    created = ["--data", begun, "create", "bela", "--role", "owner", "--password", "a long password"]
    assert CliRunner().invoke(admin, created).exit_code == 0
    assert "@bela" in CliRunner().invoke(admin, ["--data", begun, "list"]).stdout
