"""What comes before anything runs: the folders and the database, ready for use and nobody else's to read."""

import os

from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from folkmoot.serve.https import certificate
from folkmoot.serve.places import Places, places
from folkmoot.settings import NotThereYet, Settings, SettingsError
from folkmoot.storage.migrations import DatabaseTooNew, migrate


def prepare(settings: Settings) -> Places:
    """Make what isn't there and bring the database to this version. Raises SettingsError if that can't be done."""
    where = folders(settings)
    bring_up_to_date(where)
    return where


def folders(settings: Settings) -> Places:
    """Make the folders that aren't there. Raises SettingsError if that can't be done."""
    certificate(settings)  # if it can't be used, that is said before anything else happens
    # Also what is made in folders that were there before, readable for all: the database holds people's words.
    os.umask(0o077)
    where = places(settings)
    try:
        where.make()
    except OSError as error:
        raise SettingsError(
            f"The directory {error.filename} can't be made ({error.strerror}). Choose another with "
            "the setting data."
        ) from error
    return where


def bring_up_to_date(where: Places) -> None:
    """Bring the database to this version. Raises SettingsError if that can't be done, NotThereYet where the
    database doesn't answer, or says no."""
    try:
        migrate(where.database_url)
    except DatabaseTooNew as error:
        raise SettingsError(str(error)) from error
    except DBAPIError as error:
        reason = " ".join(str(error.orig).splitlines()[0].split()).rstrip(".")
        kind = NotThereYet if isinstance(error, OperationalError) else SettingsError
        raise kind(f"The database can't be used: {reason}. See the setting database.") from error
    except (ArgumentError, ValueError) as error:
        # Not its value: there can be a password in it.
        raise SettingsError(
            "The setting database is no address: write one such as postgresql+psycopg://user:password@host/name."
        ) from error
