"""HTTPS of the web process, when the settings name a certificate."""

import asyncio
import datetime
from pathlib import Path
from typing import Any

from folkmoot.audience.certificates import Certificate, CertificateError
from folkmoot.audience.door import Door, listen_protocol
from folkmoot.audience.entrance import HALF_OPEN_MAX, Entrance
from folkmoot.audience.redirect import redirect_protocol
from folkmoot.audience.tls import keep_secret, tls_protocol
from folkmoot.settings import Settings, SettingsError

LOOK_EVERY_S = 5.0


def certificate(settings: Settings) -> Certificate | None:
    """The certificate that the settings name, if they do. Raises SettingsError if it can't be used."""
    if not settings.tls_certificate:
        return None
    try:
        return Certificate(Path(settings.tls_certificate), Path(settings.tls_key), keep_secret)
    except CertificateError as error:
        raise SettingsError(f"{error} See the settings tls_certificate and tls_key.") from error


def protocol(shown: Certificate | None, door: Door, base_url: str) -> type[Any]:
    """The class for `uvicorn.Config(http=...)`: HTTPS, or without a certificate plain HTTP."""
    if shown is None:
        return listen_protocol(door)
    half_open_max = min(HALF_OPEN_MAX, door.connections_max // 5)
    door.connections_max -= half_open_max  # which it can't make leave: both together find files
    entrance = Entrance(half_open_max=half_open_max)
    return tls_protocol(lambda: shown.context, entrance, listen_protocol(door), redirect_protocol(door, base_url))


async def keep_fresh(shown: Certificate | None) -> None:
    """Until cancelled: reads the certificate again once its files have changed, and warns before it is over."""
    if shown is None:
        return
    shown.warn(_now())
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        shown.renew(_now())


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
