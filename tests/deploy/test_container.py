"""The container file, as far as that shows without its base images (built by hand: `docs/deploy.md`)."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTAINERFILE = ROOT / "deploy" / "container" / "Containerfile"
COPIED = re.findall(r"^COPY (?!--)(.+) \S+$", CONTAINERFILE.read_text(), re.MULTILINE)


def test_hadolint_finds_nothing() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    found = subprocess.run([linter, "--no-color", CONTAINERFILE], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, ""), found.stdout + found.stderr


@pytest.mark.parametrize("source", [source for line in COPIED for source in line.split()])
def test_what_it_copies_is_there(source: str) -> None:
    assert (ROOT / source).exists()


def test_it_copies_nothing_that_git_ignores() -> None:
    def named(name: str) -> set[str]:
        lines = (ROOT / name).read_text().splitlines()
        return {line.removeprefix("**/").strip("/") for line in lines if line and not line.startswith("#")}

    assert named(".dockerignore") == named(".gitignore") | {".git"}


def test_its_node_is_one_that_the_readme_asks_for() -> None:
    major = re.search(r"library/node:(\d+)-", CONTAINERFILE.read_text())
    asked = re.search(r"Node\.js \(([^)]+)\)", (ROOT / "README.md").read_text())
    assert major
    assert asked
    assert int(major[1]) in {int(one) for one in re.findall(r"(\d+)\.\d+", asked[1])}
