"""The server's own source, as it runs: what the AGPL asks for, also where somebody changed it."""

import io
import tarfile
from asyncio import to_thread
from functools import lru_cache
from pathlib import Path

from litestar import Response, get

from folkmoot.gate import Serves
from folkmoot.surfaces.http import serves

PATH = "/source.tar.gz"
_PACKAGE = Path(__file__).parents[2]
# Of a checkout, what is source: no data, no keys, nothing that was installed or built.
_OF_CHECKOUT = (
    "src",
    "web",
    "docs",
    "tests",
    "scripts",
    "deploy",
    ".ci",
    "pyproject.toml",
    "requirements.lock",
    "Makefile",
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
)
_LEFT_OUT = frozenset({"__pycache__", "node_modules", "dist", ".svelte-kit", "test-results"})


@get(PATH, opt=serves(Serves.NOBODY), media_type="application/gzip")
async def source() -> Response[bytes]:
    """The source of this very server."""
    return Response(
        await to_thread(_archive),
        media_type="application/gzip",
        headers={
            "Content-Disposition": 'attachment; filename="folkmoot-source.tar.gz"',
            "Cache-Control": "public, max-age=3600",
        },
    )


@lru_cache(maxsize=1)
def _archive() -> bytes:
    checkout = _PACKAGE.parents[1]
    is_checkout = (checkout / "pyproject.toml").is_file() and checkout / "src/folkmoot" == _PACKAGE
    root, names = (checkout, _OF_CHECKOUT) if is_checkout else (_PACKAGE.parent, (_PACKAGE.name,))
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name in names:
            if (root / name).exists():
                archive.add(root / name, f"folkmoot/{name}", filter=_source_only)
    return out.getvalue()


def _source_only(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if _LEFT_OUT & set(Path(entry.name).parts) or not (entry.isfile() or entry.isdir()):
        return None
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


HANDLERS = [source]
