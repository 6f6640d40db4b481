"""`folkmoot admin media`: how much room files take, and making some."""

from typing import Annotated

import typer

from folkmoot.media import cache
from folkmoot.posts.files import queries
from folkmoot.posts.files.queries import Usage
from folkmoot.surfaces.cli.running import AdminServices, Opener, Runner, columns

KeepRemote = Annotated[
    int | None, typer.Option(help="Keep this many MB of other servers' files, and delete the rest.", min=0)
]
_MB = 1_000_000


def add_media(app: typer.Typer, open_services: Opener) -> None:
    """Add the command to `folkmoot admin`."""
    runner = Runner(open_services)

    @app.command("media")
    def media(keep_remote: KeepRemote = None) -> None:
        """How many files people uploaded, by kind, and how many of other servers are kept."""
        found, remote, deleted = runner.run(lambda services: _usage(services, keep_remote))
        rows = [(one.kind, str(one.files), _megabytes(one.bytes)) for one in found]
        rows.append(("remote", str(remote.files), _megabytes(remote.bytes)))
        for line in columns([("kind", "files", "MB"), *rows]):
            typer.echo(line)
        if keep_remote is not None:
            typer.echo(f"Files of other servers deleted: {deleted}. They are fetched again when somebody looks.")


async def _usage(services: AdminServices, keep_remote: int | None) -> tuple[list[Usage], Usage, int]:
    deleted = 0
    if keep_remote is not None:
        deleted, _ = cache.shrink(services.remote_media, keep_remote * _MB)
    kept = cache.files(services.remote_media)
    async with services.database.read() as read:
        found = await queries.usage(read)
    return found, Usage("remote", len(kept), sum(state.st_size for _, state in kept)), deleted


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / _MB:.1f}"
