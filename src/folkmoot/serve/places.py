"""Where things are: the data directory's folders, the sockets of the processes, the database's address."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

import msgspec

from folkmoot.settings import Settings, SettingsError

# sun_path has 108 bytes with its final zero; the longest name below it is "stage-" and a 19-digit id.
_SOCKET_PATH_BYTES_MAX = 107
_LONGEST_SOCKET = "stage-9223372036854775807.sock"


class Places(msgspec.Struct, frozen=True):
    """Made from the settings by `places`, the same in every process."""

    data: Path
    run: Path
    doorbells: Path
    tapes: Path
    keys: Path
    media: Path
    database_url: str
    objects: str = ""  # the bucket that media files are in instead of the folder `media`
    push_to_private_networks: bool = False
    reports_kept_days: int = 180  # how long after they were closed
    tape_local_days: int = 0  # how long tapes stay on this disk after they are in the bucket, too

    def stage_socket(self, space_id: int) -> Path:
        return self.run / f"stage-{space_id}.sock"

    def tape(self, space_id: int) -> Path:
        return self.tapes / str(space_id)

    @property
    def work(self) -> Path:
        """Uploads while they are looked at."""
        return self.data / "work"

    @property
    def remote_media(self) -> Path:
        """Files of other servers, which can be fetched again."""
        return self.data / "remote-media"

    @property
    def watching_socket(self) -> Path:
        return self.run / "watching.sock"

    def audience_socket(self, worker: int) -> Path:
        return self.run / f"audience-{worker}.sock"

    def make(self) -> None:
        """Make the folders that aren't there; what they hold is nobody else's business.

        Raises OSError, and SettingsError if somebody else could be behind the sockets.
        """
        for folder in (self.data, self.run, self.doorbells, self.tapes, self.keys, self.media, self.work):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self.run.is_relative_to(self.data):
            _require_own(self.run)


def _require_own(folder: Path) -> None:
    """In a directory that everybody writes in, it may have been made by somebody else, or be a link."""
    found = folder.lstat()
    is_own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077
    if not is_own:
        raise SettingsError(
            f"The folder {folder}, for sockets, is not this user's alone: remove it, or choose a data directory "
            "with a shorter path."
        )


def places(settings: Settings) -> Places:
    data = Path(settings.data).resolve()
    run = data / "run"
    if len(str(run / _LONGEST_SOCKET).encode()) > _SOCKET_PATH_BYTES_MAX:
        # A unix socket's path is short; a data directory's need not be.
        name = hashlib.sha256(str(data).encode()).hexdigest()[:16]
        run = Path(tempfile.gettempdir()) / f"folkmoot-{name}"
    return Places(
        data=data,
        run=run,
        doorbells=data / "run" / "doorbells",
        tapes=data / "tapes",
        keys=data / "keys",
        media=data / "media",
        database_url=settings.database or f"sqlite+aiosqlite:///{data / 'folkmoot.db'}",
        objects=settings.media,
        push_to_private_networks=settings.push_to_private_networks,
        reports_kept_days=settings.reports_kept_days,
        tape_local_days=settings.tape_local_days,
    )
