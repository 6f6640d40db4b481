"""How speakers reach the stages, as the settings say it: STUN and TURN servers, and who is given their use."""

import time
from collections.abc import Sequence

from folkmoot.gate import Action, Viewer
from folkmoot.gate.standings import may
from folkmoot.settings import Settings
from folkmoot.stage.ice_servers import IceServer, IceServers


def ice_servers(settings: Settings) -> IceServers:
    return IceServers(tuple(settings.ice_servers), settings.turn_secret, settings.turn_valid_s)


def ice_servers_for(servers: IceServers, viewer: Viewer) -> Sequence[IceServer]:
    """A relay carries whatever one sends: it is for those who may speak, not for everybody who listens."""
    if viewer.account_id is None or not may(viewer.standing, viewer.role, Action.SPEAK):
        return ()
    return servers.for_use(f"account:{viewer.account_id}", time.time())
