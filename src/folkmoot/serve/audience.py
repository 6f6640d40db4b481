"""An audience process: writes sound to listeners, and reads for itself whose right has ended."""

from collections.abc import Sequence
from pathlib import Path

from folkmoot.audience.worker import WorkerConfig, run_worker
from folkmoot.gate.source import RevocationSource
from folkmoot.serve.places import Places
from folkmoot.serve.supervisor import heartbeat


def main(places: Places, worker: int, predecessors: Sequence[Path]) -> None:
    """Run one fan-out worker until SIGTERM, with the listeners of those that listen at `predecessors`."""
    config = WorkerConfig(
        socket_path=places.audience_socket(worker),
        tapes_directory=places.tapes,
        predecessors=tuple(predecessors),
    )
    run_worker(config, RevocationSource(places.database_url), alive=heartbeat(places.run))
