"""Before the start: what is wrong is one sentence, and what is made is nobody else's to read."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from folkmoot.serve.places import places
from folkmoot.serve.prepare import prepare
from folkmoot.serve.start import bind
from folkmoot.settings import NotThereYet, Settings, SettingsError


@pytest.fixture(autouse=True)
def mask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_the_database_is_its_owners_alone_also_in_a_folder_that_was_there(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    prepare(Settings(data=str(tmp_path)))
    assert stat.S_IMODE((tmp_path / "folkmoot.db").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("database", "kind"),
    [
        ("postgresql+psycopg://me@127.0.0.1:1/x", NotThereYet),
        ("postgresql+psycopg://me@host:port/x", SettingsError),
    ],
)
def test_a_database_that_cannot_be_reached_is_a_sentence(
    tmp_path: Path, database: str, kind: type[SettingsError]
) -> None:
    with pytest.raises(SettingsError, match="database") as refused:
        prepare(Settings(data=str(tmp_path), database=database))
    assert type(refused.value) is kind
    assert "\n" not in str(refused.value)


def test_a_file_that_is_no_database_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "folkmoot.db").write_bytes(b"no database " * 1000)
    with pytest.raises(SettingsError, match="The database can't be used") as refused:
        prepare(Settings(data=str(tmp_path)))
    assert type(refused.value) is SettingsError


def test_an_address_that_the_machine_has_not_may_come_yet() -> None:
    with pytest.raises(NotThereYet, match=r"Can't listen on 192\.0\.2\.1"):
        bind("192.0.2.1", 0)


def test_a_directory_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="can't be made"):
        prepare(Settings(data=str(tmp_path / "file" / "data")))


def test_sockets_stand_in_no_folder_that_others_may_use(tmp_path: Path) -> None:
    data = tmp_path / ("long" * 30)
    run = places(Settings(data=str(data))).run
    try:
        prepare(Settings(data=str(data)))
        run.chmod(0o777)
        with pytest.raises(SettingsError, match="not this user's alone"):
            prepare(Settings(data=str(data)))
        run.rmdir()
        run.symlink_to(tmp_path)
        with pytest.raises(SettingsError, match="not this user's alone"):
            prepare(Settings(data=str(data)))
    finally:
        run.unlink() if run.is_symlink() else run.rmdir()


@pytest.mark.slow
@pytest.mark.parametrize(("address", "code"), [("127.0.0.1:1", os.EX_TEMPFAIL), ("127.0.0.1:port", 2)])
def test_the_command_ends_with_the_sentence_and_its_code(tmp_path: Path, address: str, code: int) -> None:
    command = [sys.executable, "-m", "folkmoot", "serve", "--data", str(tmp_path)]
    environment = {**os.environ, "FOLKMOOT_DATABASE": f"postgresql+psycopg://me:secret@{address}/x"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert done.returncode == code
    assert len(done.stderr.strip().splitlines()) == 1
    assert "secret" not in done.stderr
