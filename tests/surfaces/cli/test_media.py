"""`folkmoot admin media`."""

from pathlib import Path

import pytest
from tests.surfaces.cli.test_admin import Terminal


@pytest.fixture
def terminal(database_url: str, tmp_path: Path) -> Terminal:
    return Terminal(database_url, tmp_path / "doorbells")


def test_an_operator_sees_and_makes_room(terminal: Terminal) -> None:
    kept = terminal.directory / "remote-media" / "ab" / "abcd"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(bytes(1_500_000))
    terminal.says("create", "bela")
    assert terminal.says("media").splitlines()[-1].split() == ["remote", "1", "1.5"]
    assert (
        terminal.says("media", "--keep-remote", "2")
        .splitlines()[-1]
        .startswith("Files of other servers deleted: 0")
    )
    assert "deleted: 1." in terminal.says("media", "--keep-remote", "0")
    assert not kept.exists()
