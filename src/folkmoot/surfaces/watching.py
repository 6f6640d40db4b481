"""What somebody who runs the server sees of it at this moment: plain data, for `/metrics` and `folkmoot top`."""

import msgspec


class ProcessUse(msgspec.Struct, frozen=True):
    """One of the server's processes. `cores`: CPU seconds a second, over the last ten seconds."""

    pid: int
    name: str  # web, worker, audience-0, stage
    cores: float


class SpaceNow(msgspec.Struct, frozen=True):
    """A live Space. `stage` is "on", "away" (it is being started) or "disk full".

    `behind_ms`: how far the newest sound on the tape is behind the clock; None while there is none.
    `cores`: of its stage; None while that isn't known.
    """

    id: str
    title: str
    live_since_ms: int | None
    stage: str
    speakers: int
    behind_ms: int | None
    listeners: int
    listeners_estimated: int
    cores: float | None


class ServerNow(msgspec.Struct, frozen=True):
    """The whole server. `delays` counts parts since the workers started, by `delays_ms` and above: how old each was
    when it was written to a listener. `audience` are the workers' totals (audience/fanout.py, Metrics)."""

    at_ms: int
    version: str
    listeners: int
    listeners_estimated: int
    audience: dict[str, int]
    delays_ms: tuple[int, ...]
    delays: tuple[int, ...]
    processes: list[ProcessUse]
    spaces: list[SpaceNow]
