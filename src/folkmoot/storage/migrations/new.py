"""`python -m folkmoot.storage.migrations.new "message"`: write the step from the last migration to `tables/`.

What it writes is a draft to read: a renamed column, for one, looks to it like one removed and one added. With
`--first` it writes the first migration anew, which nobody may do after a release.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy import Connection, create_engine

from folkmoot.storage.migrations import config, migrate

VERSIONS = Path(__file__).parent / "versions"


def main(arguments: list[str]) -> None:
    """Write the next file of `versions/` and say where it is."""
    first = arguments[:1] == ["--first"]
    if first:
        for path in VERSIONS.glob("*.py"):
            path.unlink()
    message = "Every table" if first else " ".join(arguments)
    if not message:
        sys.exit('Say what it changes: python -m folkmoot.storage.migrations.new "Posts have a language"')
    with tempfile.TemporaryDirectory() as directory:
        url = f"sqlite:///{directory}/folkmoot.db"
        migrate(url)
        engine = create_engine(url)
        with engine.connect() as connection:
            path = _write(message, connection)
        engine.dispose()
    for verb in ("format", "check"):
        subprocess.run([sys.executable, "-m", "ruff", verb, "--quiet", str(path)], check=True)  # noqa: S603


def _write(message: str, connection: Connection) -> Path:
    number = len(list(VERSIONS.glob("*.py"))) + 1
    settings = config(connection)
    settings.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    script = command.revision(settings, message, autogenerate=True, rev_id=f"{number:04d}")
    assert script is not None
    assert not isinstance(script, list)
    path = Path(script.path)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "# ###" not in line))
    return path


if __name__ == "__main__":
    main(sys.argv[1:])
