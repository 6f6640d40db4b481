"""What the server says of itself to a monitoring program: `GET /metrics`, in Prometheus' text format.

Nothing is counted twice: the numbers are read where they are kept, at the moment they are asked for. No name of a
Space or a person is in them.
"""

import shutil
from collections.abc import Iterable, Iterator, Sequence

from litestar import Response, get
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from folkmoot.audience.fanout import LATENESS_MS
from folkmoot.audience.wire import Report
from folkmoot.gate import Action, Serves, Viewer
from folkmoot.spaces import queries as spaces
from folkmoot.storage.jobs import failed_jobs
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.services import Services

FAILED_JOBS_MAX = 1000


@get("/metrics", opt=serves(Serves.MODERATOR, Action.MODERATE, "read"))
async def metrics(
    viewer: Viewer,  # noqa: ARG001 - taking it is what asks the gate
    services: Services,
) -> Response[bytes]:
    """Listeners, parts, Spaces and jobs as Prometheus reads them; with a moderator's token."""
    async with services.database.read() as read:
        live = await spaces.by_ids(read, await spaces.live_ids(read))
        failed = len(await failed_jobs(read, FAILED_JOBS_MAX))
    registry = CollectorRegistry(auto_describe=False)
    registry.register(
        _Now(
            [
                GaugeMetricFamily("folkmoot_live_spaces", "Spaces that are live", len(live)),
                GaugeMetricFamily("folkmoot_speakers", "People on stage", sum(len(space.stage) for space in live)),
                GaugeMetricFamily(
                    "folkmoot_unwritable_tapes",
                    "Live Spaces whose sound can't be written",
                    sum(services.stages.tape_full(space.id) for space in live),
                ),
                GaugeMetricFamily(
                    "folkmoot_tapes_free_bytes",
                    "Room where recordings are kept",
                    shutil.disk_usage(services.tapes_directory).free,
                ),
                GaugeMetricFamily("folkmoot_failed_jobs", "Jobs that were given up", failed),
                GaugeMetricFamily(
                    "folkmoot_listeners", "Connected listener sockets", sum(services.listening.counts().values())
                ),
                GaugeMetricFamily(
                    "folkmoot_listeners_estimated",
                    "Listeners by HLS, an estimate",
                    sum(services.listening.estimated().values()),
                ),
                *_audience(services.listening.reports()),
            ]
        )
    )
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Now(Collector):
    """Metrics as they are at this moment."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _audience(reports: Sequence[Report]) -> Iterator[Metric]:
    for name in sorted({name for report in reports for name in report.metrics}):
        total = sum(report.metrics.get(name, 0) for report in reports)
        yield CounterMetricFamily(f"folkmoot_audience_{name}", f"Since each worker started: {name}", total)
    counts = [sum(column) for column in zip(*(report.lateness for report in reports), strict=True)]
    if counts:
        bounds = [*(str(bound_ms / 1000) for bound_ms in LATENESS_MS), "+Inf"]
        running = [sum(counts[: place + 1]) for place in range(len(counts))]
        lateness = HistogramMetricFamily("folkmoot_audience_tick_late_seconds", "How late a write began")
        lateness.add_metric([], list(zip(bounds, running, strict=True)), sum_value=None)
        yield lateness


HANDLERS = [metrics]
