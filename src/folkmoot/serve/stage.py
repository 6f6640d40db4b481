"""A live Space's stage process: the engine and the tape, with leases that end when a right is lost."""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from folkmoot.gate import Lease, LeaseBook, Refused, Stamp
from folkmoot.gate.source import RevocationSource
from folkmoot.serve.network import ice_servers
from folkmoot.serve.places import Places
from folkmoot.settings import Settings
from folkmoot.stage.ice import IceSettings
from folkmoot.stage.leases import LeaseOver
from folkmoot.stage.process import StageConfig, run_stage
from folkmoot.tape.model import TapeEnded

log = structlog.get_logger(__name__)


class StageLeases:
    """The stage's leases, ended by what the revocation source reads, on the stage's own loop."""

    def __init__(self, database_url: str) -> None:
        self._book = LeaseBook()
        self._source = RevocationSource(database_url)

    async def follow(self) -> None:
        """Until cancelled: end what was granted under a counter that has been raised since."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._source.fileno(), self._take)
        try:
            await asyncio.Event().wait()
        finally:
            loop.remove_reader(self._source.fileno())

    def hold(self, stamps: Sequence[tuple[str, int]], on_end: Callable[[str], None]) -> Lease:
        try:
            lease = self._book.hold([Stamp(subject, counter) for subject, counter in stamps], on_end)
        except Refused as refusal:
            raise LeaseOver(refusal.sentence) from refusal
        # The stamps were read by another process a moment ago: see that nothing was raised in between.
        self._source.compare([subject for subject, _ in stamps])
        return lease

    def _take(self) -> None:
        self._book.compare(self._source.poll())


def main(settings: Settings, places: Places, space_id: int, ports: range | None) -> None:
    """Run the stage of one Space, on these UDP ports (None: any), until it ends or SIGTERM."""
    config = StageConfig(
        socket_path=places.stage_socket(space_id),
        tape_directory=places.tape(space_id),
        ice=IceSettings(
            servers=ice_servers(settings),
            advertised_address=settings.public_address or None,
            ports=ports,
        ),
        whep_listeners_max=settings.whep_listeners_max,
        noise_suppression=settings.noise_suppression,
    )
    try:
        run_stage(config, StageLeases(places.database_url))
    except TapeEnded:
        log.info("stage.over", space=space_id)
