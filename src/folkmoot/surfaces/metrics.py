"""What the server says of itself to a monitoring program: `GET /metrics`, in Prometheus' text format.

Nothing is counted twice: the numbers are read where they are kept, at the moment they are asked for. No name of a
Space or a person is in them.
"""

import shutil
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

from litestar import Response, get
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from folkmoot.audience.fanout import DELAYS_MS, LATENESS_MS
from folkmoot.audience.wire import TICKS_MS
from folkmoot.gate import Action, Serves, Viewer
from folkmoot.spaces import queries as spaces
from folkmoot.storage.jobs import failed_jobs, waiting_jobs
from folkmoot.surfaces.counting import BEGAN_WITHIN_MS, RequestCounts
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.services import Listening, Services

FAILED_JOBS_MAX = 1000
CONTENT_TYPE = CONTENT_TYPE_LATEST
_DROPPED = ("hung_up", "slow", "revoked", "ended", "broken_off", "failed", "refused")


@get("/metrics", opt=serves(Serves.MODERATOR, Action.MODERATE, "read"))
async def metrics(
    viewer: Viewer,  # noqa: ARG001 - taking it is what asks the gate
    services: Services,
) -> Response[bytes]:
    """Listeners, parts, Spaces and jobs as Prometheus reads them; with a moderator's token."""
    return Response(await metrics_text(services), media_type=CONTENT_TYPE)


async def metrics_text(services: Services) -> bytes:
    """All of it, for whoever may read it."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Now([family async for family in _families(services)]))
    return generate_latest(registry)


class _Now(Collector):
    """Metrics as they are at this moment."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


async def _families(services: Services) -> AsyncIterator[Metric]:
    async with services.database.read() as read:
        live = await spaces.by_ids(read, await spaces.live_ids(read))
        failed = len(await failed_jobs(read, FAILED_JOBS_MAX))
        waiting = await waiting_jobs(read)
    full = sum(services.stages.tape_full(space.id) for space in live)
    free = shutil.disk_usage(services.tapes_directory).free
    listening = services.listening
    yield GaugeMetricFamily("folkmoot_live_spaces", "Spaces that are live", len(live))
    yield GaugeMetricFamily("folkmoot_speakers", "People on stage", sum(len(space.stage) for space in live))
    yield GaugeMetricFamily("folkmoot_unwritable_tapes", "Live Spaces whose sound can't be written", full)
    yield GaugeMetricFamily("folkmoot_tapes_free_bytes", "Room where recordings are kept", free)
    yield GaugeMetricFamily("folkmoot_listeners", "Connected listeners", sum(listening.counts().values()))
    yield GaugeMetricFamily(
        "folkmoot_listeners_estimated", "Listeners by HLS, an estimate", sum(listening.estimated().values())
    )
    yield GaugeMetricFamily("folkmoot_failed_jobs", "Jobs that were given up", failed)
    for family in (*_media(services), *_waiting(waiting), *_processes(services), *_audience(listening)):
        yield family
    for family in _requests(services.requests):
        yield family


def _waiting(waiting: dict[str, tuple[int, int]]) -> Iterator[Metric]:
    count = GaugeMetricFamily("folkmoot_jobs", "Jobs that are due or under way", labels=["kind"])
    oldest = GaugeMetricFamily("folkmoot_jobs_oldest_seconds", "How long the oldest has been due", labels=["kind"])
    for kind, (jobs, late_ms) in sorted(waiting.items()):
        count.add_metric([kind], jobs)
        oldest.add_metric([kind], late_ms / 1000)
    yield from (count, oldest)


def _media(services: Services) -> Iterator[Metric]:
    kept, workshop = services.remote_media, services.depot.workshop
    yield GaugeMetricFamily("folkmoot_remote_media_bytes", "Files of other servers that are kept", kept.size_bytes)
    asked = CounterMetricFamily("folkmoot_remote_media_asked", "Whether such a file was there", labels=["found"])
    asked.add_metric(["yes"], kept.hits)
    asked.add_metric(["no"], kept.misses)
    uploads = CounterMetricFamily("folkmoot_uploads", "Pictures whose sender waited", labels=["outcome"])
    uploads.add_metric(["made"], workshop.made)
    uploads.add_metric(["refused"], workshop.refused)
    yield from (asked, uploads)


def _processes(services: Services) -> Iterator[Metric]:
    number: Counter[str] = Counter()
    used: dict[str, float] = defaultdict(float)
    for one in services.processes():
        number[one.name] += 1
        used[one.name] += one.cores
    count = GaugeMetricFamily("folkmoot_processes", "The server's processes", labels=["process"])
    cores = GaugeMetricFamily("folkmoot_cores", "CPU seconds a second, of the last ten", labels=["process"])
    for name in sorted(number):
        count.add_metric([name], number[name])
        cores.add_metric([name], used[name])
    yield from (count, cores)


def _audience(listening: Listening) -> Iterator[Metric]:
    reports = listening.reports()
    totals = {
        name: sum(report.metrics.get(name, 0) for report in reports)
        for name in sorted({name for report in reports for name in report.metrics})
    }
    dropped = CounterMetricFamily("folkmoot_audience_left", "Listeners whose connection ended", labels=["reason"])
    for name, total in totals.items():
        if name in _DROPPED:
            dropped.add_metric([name], total)
        else:
            yield CounterMetricFamily(f"folkmoot_audience_{name}", f"Since each worker started: {name}", total)
    yield dropped
    yield GaugeMetricFamily("folkmoot_audience_room", "Listeners that are let in at most", listening.room())
    yield GaugeMetricFamily("folkmoot_audience_workers", "Audience workers that answer", len(reports))
    ticks = [report.ticks for report in reports if report.ticks]
    yield _histogram("folkmoot_audience_tick_seconds", "How long writing to one group took", TICKS_MS, ticks)
    late = [report.lateness for report in reports]
    yield _histogram("folkmoot_audience_tick_late_seconds", "How late a write began", LATENESS_MS, late)
    delays = [report.delays for report in reports if report.delays]
    yield _histogram(
        "folkmoot_audience_part_age_seconds", "How old parts were when they were written", DELAYS_MS, delays
    )


def _requests(counts: RequestCounts) -> Iterator[Metric]:
    labels = ["method", "route", "status"]
    answers = CounterMetricFamily("folkmoot_http_answers", "Answers of the web process", labels=labels)
    for (method, route, status), count in sorted(counts.answers.items()):
        answers.add_metric([method, route, str(status)], count)
    yield answers
    yield _histogram(
        "folkmoot_http_began_seconds",
        "How long an answer took to begin, with what it waited for on purpose",
        BEGAN_WITHIN_MS,
        [counts.began],
        counts.waited_s,
    )


def _histogram(
    name: str, what: str, bounds_ms: Sequence[int], counted: Sequence[Sequence[int]], sum_s: float | None = None
) -> Metric:
    """Of counts by bucket, one row for each process that counts."""
    counts = [sum(column) for column in zip(*counted, strict=True)] or [0] * (len(bounds_ms) + 1)
    bounds = [*(str(bound_ms / 1000) for bound_ms in bounds_ms), "+Inf"]
    running = [sum(counts[: place + 1]) for place in range(len(counts))]
    family = HistogramMetricFamily(name, what)
    family.add_metric([], list(zip(bounds, running, strict=True)), sum_value=sum_s)
    return family


HANDLERS = [metrics]
