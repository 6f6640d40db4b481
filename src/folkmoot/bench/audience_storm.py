"""`bench audience --storm`: thousands join within ten seconds, while others listen and pages are asked for."""

import http.client
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from threading import Event, Thread

import msgspec

from folkmoot.bench.audience import JOIN_P99_MS, Plan, Say, Workshop, workshop
from folkmoot.bench.audience_load import Heard, LoadWanted, listening
from folkmoot.bench.audience_servers import House, running_house
from folkmoot.bench.machine import this_machine
from folkmoot.bench.processes import CpuMeter
from folkmoot.bench.report import Report, Result, at_most, command_line, exactly, shown

LISTENING = 2_000
"""Those who listen already: as many as fit beside 36,000 into two workers."""
STORM_S = 10.0
DELIVERY_P99_MS = 100.0
PAGE_P99_MS = 500.0

_JOINED_WITHIN_S = 30.0
_ASK_EVERY_S = 0.02
_ADDRESSES_APART = 20_000  # of the generator's source addresses


class Storm(msgspec.Struct, frozen=True):
    """What it came to: `before` listened already, `crowd` came, of whom `new` tells; `page_ms`: each page."""

    crowd: int
    before: Heard
    new: Heard
    page_ms: list[float]
    joined_s: float
    cores: float
    generator_cores: float


def run_storm(wanted: Plan, say: Say) -> Report:
    """`wanted.listeners` join within STORM_S. Raises AudienceFailed."""
    started_at, machine = datetime.now(UTC), this_machine()
    with workshop(wanted) as bench, running_house(bench.house_config(wanted)) as house:
        storm = _measure(bench, house, wanted, say)
    return Report(
        bench="audience",
        command=command_line(),
        machine=machine,
        started_at=started_at.isoformat(timespec="seconds"),
        results=results(storm),
        notes=[
            f"{LISTENING} listen when {wanted.listeners} more come within {STORM_S:g} s; {wanted.workers} workers, "
            f"{wanted.write_ms} ms of sound in one write. errors: of the new, who heard nothing in the "
            "end. page: an answer of the web process to who asks on a connection of their own.",
            f"The last of the new heard something {storm.joined_s:.1f} s after the first came.",
        ],
    )


def _measure(bench: Workshop, house: House, wanted: Plan, say: Say) -> Storm:
    load = LoadWanted(
        port=house.port, tapes=bench.tapes, listeners=LISTENING, write_ms=wanted.write_ms, tls=wanted.tls
    )
    rate = round(wanted.listeners / STORM_S)
    crowd = msgspec.structs.replace(
        load, listeners=wanted.listeners, joins_per_s=rate, first_address=_ADDRESSES_APART
    )
    with listening(bench.generator, load) as before:
        before.wait_until_joined(_JOINED_WITHIN_S)
        before.settle()
        before.measure()
        say(f"{LISTENING} listen; {wanted.listeners} more come, {rate} a second.")
        with _pages(house.port, is_https=bool(wanted.tls)) as page_ms, listening(bench.generator, crowd) as new:
            server, generator = CpuMeter(house.pids), CpuMeter(new.pids)
            began_s = time.monotonic()
            new.wait_until_decided(STORM_S + _JOINED_WITHIN_S)
            joined_s = time.monotonic() - began_s
            cores, generator_cores = server.cores(), generator.cores()
            pages = list(page_ms)
            time.sleep(wanted.seconds)
            came = new.report()
            heard = before.stop()
    return Storm(wanted.listeners, heard, came, pages, joined_s, cores, generator_cores)


@contextmanager
def _pages(port: int, *, is_https: bool) -> Iterator[list[float]]:
    """Asks for a page again and again; yields how long each took, in ms."""
    took_ms: list[float] = []
    over = Event()
    connect: Callable[..., http.client.HTTPConnection] = http.client.HTTPConnection
    if is_https:
        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # the bench's own certificate
        trusting.check_hostname = False
        trusting.verify_mode = ssl.CERT_NONE
        connect = partial(http.client.HTTPSConnection, context=trusting)

    def ask() -> None:
        while not over.wait(_ASK_EVERY_S):
            began_s = time.monotonic()
            connection = connect("127.0.0.1", port, timeout=_JOINED_WITHIN_S)
            with suppress(OSError):  # who isn't answered has waited all the same
                connection.request("GET", "/")
                connection.getresponse().read()
            connection.close()
            took_ms.append((time.monotonic() - began_s) * 1000)

    asking = Thread(target=ask)
    asking.start()
    try:
        yield took_ms
    finally:
        over.set()
        asking.join()


def results(storm: Storm) -> list[Result]:
    """The table."""
    before, new, pages = storm.before, storm.new, sorted(storm.page_ms)
    page_p99_ms = pages[int(0.99 * (len(pages) - 1))] if pages else None
    return [
        exactly("missed_parts", before.missed, "", 0),
        exactly("wrong_bytes", before.corrupted + before.repeated + new.corrupted, "", 0),
        exactly("cut_off", before.closed + before.ended, "", 0),
        at_most("delivery_p99_ms", before.delivery.p99_ms, "ms", DELIVERY_P99_MS),
        shown("part_age_p99_ms", before.part_delay.p99_ms, "ms"),
        exactly("join_errors", storm.crowd - new.joined, "", 0),
        exactly("new_cut_off", new.closed + new.corrupted, "", 0),
        shown("join_p50_ms", new.join.p50_ms, "ms"),
        at_most("join_p99_ms", new.join.p99_ms, "ms", JOIN_P99_MS),
        shown("joined_per_s", new.joined / storm.joined_s, ""),
        at_most("page_p99_ms", page_p99_ms, "ms", PAGE_P99_MS),
        shown("server_cores", storm.cores, "cores"),
        shown("generator_cores", storm.generator_cores, "cores"),
    ]
