"""Who is given the use of the TURN servers."""

import pytest

from folkmoot.gate import ANONYMOUS, Viewer
from folkmoot.gate.model import Standing
from folkmoot.serve.network import ice_servers, ice_servers_for
from folkmoot.settings import Settings

SERVERS = ice_servers(
    Settings(ice_servers=["stun:stun.test", "turn:turn.test"], turn_secret="shared", turn_valid_s=60)
)


def test_who_may_speak_is_given_them() -> None:
    stun, turn = ice_servers_for(SERVERS, Viewer(account_id=1))
    assert stun.credential is None
    assert turn.credential is not None


@pytest.mark.parametrize("viewer", [ANONYMOUS, Viewer(account_id=1, standing=Standing.SUSPENDED)])
def test_others_are_not(viewer: Viewer) -> None:
    assert not ice_servers_for(SERVERS, viewer)
