"""`bench audience --tls`: the same listeners over HTTPS, by each way there is to carry them.

Ours: handshakes by OpenSSL in the web process, records made in the workers. Beside it, in the same run, nginx in
front of the same server without TLS, and what objects of `ssl.MemoryBIO` in the workers would take.
"""

import gc
import os
import resource
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from folkmoot.audience.records import SUITES, Plaintext, Sealer, Sealing
from folkmoot.bench.audience import Measured, Plan, Say, Workshop, late_p99_ms, notes, workshop
from folkmoot.bench.audience_certificate import write_certificate
from folkmoot.bench.audience_door import HouseConfig
from folkmoot.bench.audience_load import AudienceFailed
from folkmoot.bench.audience_servers import House, running_house
from folkmoot.bench.machine import this_machine
from folkmoot.bench.nginx_front import Front, FrontFailed, nginx_front
from folkmoot.bench.processes import pss_mb
from folkmoot.bench.report import Report, Result, at_most, beside, command_line, exactly, shown

DELIVERY_P99_MS = 250.0
JOINS_PER_S = 1_200
"""Handshakes of both sides run on the same cores here; `--storm --tls` is for more."""
NGINX_JOINS_PER_S = 600
"""With nginx two servers and the generator share them: at 1,200 a second it cut off those whom it had let in."""
PART_BYTES = 5_300  # a second of Opus as it lies on a tape
OBJECTS = 1_000
FILES_PER_LISTENER = 2
SPARE_FILES = 1_500  # nginx's connections fall unevenly on its processes

Made = TypeVar("Made")


class OneByOne(msgspec.Struct, frozen=True):
    """What one connection costs where its records are made: resident memory, and CPU for a second of sound."""

    memory_kb: float
    part_us: float


def run_tls(wanted: Plan, say: Say) -> Report:
    """Measures both ways under the same load. Raises AudienceFailed."""
    started_at, machine = datetime.now(UTC), this_machine()
    wanted = msgspec.structs.replace(wanted, joins_per_s=JOINS_PER_S)
    with workshop(wanted) as bench:
        say(f"{wanted.listeners} listeners join over HTTPS, {wanted.joins_per_s} a second.")
        ours = bench.measure_house(say)
        say("The same with nginx in front.")
        fronted, failed = _tried_fronted(bench, wanted, say)
        sealer, memory_bio = _sealers(), _memory_bios(bench.tapes.parent)
    return Report(
        bench="audience",
        command=command_line(),
        machine=machine,
        started_at=started_at.isoformat(timespec="seconds"),
        results=results(ours, fronted, sealer, memory_bio),
        notes=[
            *notes(wanted, ours),
            *failed,
            f"nginx: {_nginx_processes(wanted.listeners)} processes as in deploy/nginx/, in front of the same "
            "server without TLS; its figures are nginx's and the server's together.",
            "sealer, memory_bio: what one connection costs in a worker besides its socket; memory_bio is "
            "ssl.SSLContext.wrap_bio as CPython makes it, with SSL_MODE_RELEASE_BUFFERS.",
        ],
    )


def results(ours: Measured, fronted: Measured | None, sealer: OneByOne, memory_bio: OneByOne) -> list[Result]:
    """The table. `fronted` None: nginx didn't carry this load."""
    heard = ours.heard
    cores, memory = shown("server_cores", ours.cores, "cores"), shown("server_memory_mb", ours.memory_mb, "MB")
    nginx = _of_nginx(fronted) if fronted is not None else []
    if nginx:
        cores, memory = beside(cores, nginx[0]), beside(memory, nginx[1])
    return [
        exactly("missed_parts", heard.missed, "", 0),
        exactly("wrong_bytes", heard.corrupted + heard.repeated, "", 0),
        shown("delivery_p50_ms", heard.delivery.p50_ms, "ms"),
        at_most("delivery_p99_ms", heard.delivery.p99_ms, "ms", DELIVERY_P99_MS),
        cores,
        memory,
        shown("kernel_memory_mb", ours.kernel_memory_mb, "MB"),
        shown("join_p99_ms", heard.join.p99_ms, "ms"),
        shown("tick_late_p99_ms", late_p99_ms(ours), "ms"),
        shown("generator_cores", ours.generator_cores, "cores"),
        *nginx,
        beside(
            shown("sealer_part_us", sealer.part_us, "µs"), shown("memory_bio_part_us", memory_bio.part_us, "µs")
        ),
        shown("memory_bio_part_us", memory_bio.part_us, "µs"),
        beside(
            shown("sealer_memory_kb", sealer.memory_kb, "kB"),
            shown("memory_bio_memory_kb", memory_bio.memory_kb, "kB"),
        ),
        shown("memory_bio_memory_kb", memory_bio.memory_kb, "kB"),
    ]


def _of_nginx(fronted: Measured) -> list[Result]:
    return [
        shown("nginx_cores", fronted.cores, "cores"),
        shown("nginx_memory_mb", fronted.memory_mb, "MB"),
        shown("nginx_missed_parts", fronted.heard.missed, ""),
        shown("nginx_delivery_p99_ms", fronted.heard.delivery.p99_ms, "ms"),
        shown("nginx_kernel_memory_mb", fronted.kernel_memory_mb, "MB"),
        shown("nginx_generator_cores", fronted.generator_cores, "cores"),
    ]


def _tried_fronted(bench: Workshop, wanted: Plan, say: Say) -> tuple[Measured | None, list[str]]:
    """nginx under the same load; nothing, and why, where it doesn't carry that: ours was measured all the same."""
    try:
        return _measure_fronted(bench, wanted, say), []
    except AudienceFailed as failed:
        return None, [f"nginx in front was not measured: {failed}"]


class _Fronted:
    """A house and the nginx in front of it, as one server."""

    def __init__(self, house: House, front: Front) -> None:
        self.port = front.port
        self._house = house
        self._front = front

    def pids(self) -> list[int]:
        return [*self._house.pids(), *self._front.pids()]

    def memory_mb(self) -> float:
        return self._house.memory_mb() + pss_mb(self._front.pids())


def _measure_fronted(bench: Workshop, wanted: Plan, say: Say) -> Measured:
    folder = bench.tapes.parent
    chain, key = write_certificate(folder)
    config = HouseConfig(str(folder), str(bench.tapes), wanted.workers, wanted.write_ms)
    try:
        with (
            running_house(config) as house,
            nginx_front(
                folder / "nginx", f"127.0.0.1:{house.port}", chain, key, _nginx_processes(wanted.listeners)
            ) as front,
        ):
            slower = msgspec.structs.replace(wanted, joins_per_s=min(wanted.joins_per_s, NGINX_JOINS_PER_S))
            return bench.measure(_Fronted(house, front), say, slower)
    except FrontFailed as error:
        raise AudienceFailed(str(error)) from error


def _nginx_processes(listeners: int) -> int:
    _, files_max = resource.getrlimit(resource.RLIMIT_NOFILE)
    each = (min(files_max, 20_000) - SPARE_FILES) // FILES_PER_LISTENER
    return max(len(os.sched_getaffinity(0)), -(-listeners // each))


def _sealers() -> OneByOne:
    suite = next(iter(SUITES))

    def make() -> Sealer:
        return Sealer(Sealing(suite, os.urandom(SUITES[suite].key_bytes), os.urandom(12), 1))

    plaintext = Plaintext(os.urandom(PART_BYTES))
    bodies = plaintext.slices(memoryview(bytearray(plaintext.sealed_bytes)))
    return _measured(make, lambda sealer: sealer.seal(plaintext, bodies))


def _memory_bios(folder: Path) -> OneByOne:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.minimum_version = ssl.TLSVersion.TLSv1_3
    chain, key = write_certificate(folder)
    server.load_cert_chain(chain, key)
    client = ssl.create_default_context(cafile=chain)
    part = os.urandom(PART_BYTES)

    def make() -> tuple[ssl.SSLObject, ssl.MemoryBIO]:
        here, there = ssl.MemoryBIO(), ssl.MemoryBIO()
        at_server = server.wrap_bio(here, there, server_side=True)
        at_client = client.wrap_bio(there, here, server_hostname="localhost")
        for side in (at_client, at_server, at_client, at_server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
        there.read()
        return at_server, there

    def write(made: tuple[ssl.SSLObject, ssl.MemoryBIO]) -> object:
        made[0].write(part)
        return made[1].read()

    return _measured(make, write)


def _measured(make: Callable[[], Made], write: Callable[[Made], object]) -> OneByOne:
    write(make())
    gc.collect()
    before_mb = pss_mb([os.getpid()])
    made = [make() for _ in range(OBJECTS)]
    for each in made:
        write(each)
    gc.collect()
    memory_kb = (pss_mb([os.getpid()]) - before_mb) * 1024 / OBJECTS
    began_s = time.process_time()
    for _ in range(5):
        for each in made:
            write(each)
    return OneByOne(memory_kb, (time.process_time() - began_s) / (5 * OBJECTS) * 1e6)
