"""HTTPS of the web process."""

from pathlib import Path
from typing import Any, cast

import pytest
from tests.support.certificates import Authority

from folkmoot.audience.certificates import Certificate
from folkmoot.audience.door import Door
from folkmoot.audience.entrance import HALF_OPEN_MAX
from folkmoot.audience.tls import keep_secret
from folkmoot.serve.https import protocol


@pytest.mark.parametrize(("connections_max", "half_open_max"), [(819, 163), (80_000, HALF_OPEN_MAX)])
def test_who_is_in_a_handshake_takes_no_files_beyond_those_for_connections(
    tmp_path: Path, connections_max: int, half_open_max: int
) -> None:
    certificate = Certificate(*Authority(tmp_path).issue(), keep_secret)
    door = Door(cast(Any, None), cast(Any, None), connections_max=connections_max)
    made = protocol(certificate, door, "https://moot.example")
    assert made.entrance._half_open_max == half_open_max
    assert door.connections_max == connections_max - half_open_max
