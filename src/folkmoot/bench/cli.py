"""`folkmoot bench`: one command for each bench. Exit code 0 only if every reach holds, 2 if it couldn't run."""

import os
from pathlib import Path
from typing import Annotated

import typer

from folkmoot.bench.report import Report, finish
from folkmoot.bench.server import ServerFailed

bench = typer.Typer(no_args_is_help=True, help="Measure this server on this machine, and say which reaches hold.")

JsonFile = Annotated[Path | None, typer.Option("--json", help="Write the results to this file as JSON, too.")]


@bench.command()
def boot(
    times: Annotated[int, typer.Option(min=1, help="Starts; the median counts.")] = 3,
    json_file: JsonFile = None,
) -> None:
    """How long until the first page, and what a server without visitors needs."""
    from folkmoot.bench.boot import run_boot

    try:
        report = run_boot(times)
    except ServerFailed as error:
        raise _cannot(error) from error
    _finish(report, json_file)


@bench.command()
def stage(
    speakers: Annotated[int, typer.Option(min=1, max=13, help="Who talk at once.")] = 13,
    seconds: Annotated[float, typer.Option(min=1, help="How long each engine is measured.")] = 15.0,
    loss: Annotated[float, typer.Option(min=0, max=50, help="Packets lost, in percent.")] = 3.0,
    peers: Annotated[bool, typer.Option(help="Measure other engines under the same load, too.")] = True,
    spaces: Annotated[bool, typer.Option("--spaces", help="Instead: how many stages it carries.")] = False,
    json_file: JsonFile = None,
) -> None:
    """What a full stage costs, and how well it stands packet loss."""
    # Read before numpy is: its threads would not survive the forks.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from folkmoot.bench.load import StageFailed
    from folkmoot.bench.spaces import run_spaces_bench
    from folkmoot.bench.speech import SpeechMissing
    from folkmoot.bench.stage import run_stage_bench

    try:
        report = run_spaces_bench(typer.echo) if spaces else run_stage_bench(speakers, seconds, loss, peers=peers)
    except (StageFailed, SpeechMissing) as error:
        raise _cannot(error) from error
    _finish(report, json_file)


@bench.command()
def tape(
    hours: Annotated[int, typer.Option(min=2, max=24, help="How long the evening is.")] = 12,
    json_file: JsonFile = None,
) -> None:
    """A recording of twelve hours: writing, finding, clipping, and going on after a crash."""
    from folkmoot.bench.tape import run_tape_bench

    _finish(run_tape_bench(hours), json_file)


@bench.command()
def latency(
    seconds: Annotated[float, typer.Option(min=2, help="How long each pair is listened to.")] = 8.0,
    json_file: JsonFile = None,
) -> None:
    """From one person's microphone to another's ear, in real browsers."""
    from folkmoot.bench.latency import LatencyFailed, run_latency

    try:
        report = run_latency(seconds)
    except (LatencyFailed, ServerFailed) as error:
        raise _cannot(error) from error
    _finish(report, json_file)


@bench.command()
def standing(
    accounts: Annotated[int, typer.Option(min=300, max=2000, help="Suspended by one command.")] = 1000,
    listeners: Annotated[int, typer.Option(min=1, max=100_000, help="Of a host who is suspended first.")] = 36_000,
    end: Annotated[bool, typer.Option("--end", help="That host ends the Space, and isn't suspended.")] = False,
    json_file: JsonFile = None,
) -> None:
    """How long what suspended accounts held stays open, on every surface."""
    # Read before numpy is: its threads would not survive the fork.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from folkmoot.bench.audience_load import AudienceFailed
    from folkmoot.bench.standing import StandingFailed, run_standing

    try:
        report = run_standing(accounts, listeners, typer.echo, ends=end)
    except (StandingFailed, AudienceFailed, ServerFailed) as error:
        raise _cannot(error) from error
    _finish(report, json_file)


@bench.command()
def reload(
    listeners: Annotated[int, typer.Option(min=1, help="How many listen.")] = 36_000,
    json_file: JsonFile = None,
) -> None:
    """Whether anybody notices when the server reloads: listeners, and who asks for pages."""
    from folkmoot.bench.audience_load import AudienceFailed
    from folkmoot.bench.reload import run_reload

    try:
        report = run_reload(listeners, typer.echo)
    except (AudienceFailed, ServerFailed) as error:
        raise _cannot(error) from error
    _finish(report, json_file)


@bench.command()
def audience(
    listeners: Annotated[int, typer.Option(min=1, help="How many listen.")] = 36_000,
    seconds: Annotated[float, typer.Option(min=2, help="How long they are measured.")] = 20.0,
    spaces: Annotated[int, typer.Option(min=1, max=2_000, help="Spaces that they are spread over.")] = 1,
    write_ms: Annotated[int, typer.Option(help="Sound in one write: 100, 200, 500, 1000; 0: by the load.")] = 0,
    never_reading: Annotated[int, typer.Option(min=0, help="Of the listeners, how many read nothing.")] = 0,
    tls: Annotated[bool, typer.Option("--tls", help="Over HTTPS, with nginx beside it.")] = False,
    storm: Annotated[bool, typer.Option("--storm", help="Instead: all of them join within 10 s.")] = False,
    peers: Annotated[
        bool, typer.Option("--peers", help="Instead: beside icecast2, nginx with HLS and the floor; to 5,000.")
    ] = False,
    json_file: JsonFile = None,
) -> None:
    """What it takes to be heard by many: delay, missed parts, CPU, beside a loop in C."""
    from folkmoot.bench.audience import plan, run_audience
    from folkmoot.bench.audience_load import PLAIN, TLS_RESUMED, AudienceFailed
    from folkmoot.bench.audience_storm import run_storm
    from folkmoot.bench.audience_tls import run_tls
    from folkmoot.bench.hls import HlsFailed
    from folkmoot.bench.nginx import NginxFailed
    from folkmoot.bench.peers import run_peers

    wanted = plan(
        listeners,
        seconds,
        cores=len(os.sched_getaffinity(0)),
        spaces=spaces,
        write_ms=write_ms,
        never_reading=never_reading,
        tls=TLS_RESUMED if tls else PLAIN,
    )
    run = run_peers if peers else run_storm if storm else run_tls if tls else run_audience
    try:
        report = run(wanted, typer.echo)
    except (AudienceFailed, HlsFailed, NginxFailed, ServerFailed) as error:
        raise _cannot(error) from error
    _finish(report, json_file)


@bench.command()
def api(
    posts: Annotated[int, typer.Option(min=100, help="How many there are in the end.")] = 1_000_000,
    accounts: Annotated[int, typer.Option(min=2, max=900_000, help="Who writes, reads and follows.")] = 10_001,
    database: Annotated[str, typer.Option(help="An empty database: postgresql+psycopg://… Empty: SQLite.")] = "",
    json_file: JsonFile = None,
) -> None:
    """What clients ask for all day: home on a small square and on a large one, what the server is, and streams."""
    from folkmoot.bench.api import run_api
    from folkmoot.bench.api_data import NotEmpty
    from folkmoot.bench.api_load import ApiFailed
    from folkmoot.bench.audience_load import AudienceFailed

    try:
        report = run_api(posts, accounts, database, typer.echo)
    except (ApiFailed, AudienceFailed, NotEmpty, ServerFailed) as error:
        raise _cannot(error) from error
    _finish(report, json_file)


@bench.command()
def hls(
    listeners: Annotated[int, typer.Option(min=1, max=18_000, help="Players, when they are many.")] = 10_000,
    few: Annotated[int, typer.Option(min=1, help="Players, when they are few.")] = 100,
    seconds: Annotated[float, typer.Option(min=4, help="How long each is measured.")] = 10.0,
    json_file: JsonFile = None,
) -> None:
    """What HLS behind nginx as a cache costs the server: the same with few listeners and with many."""
    from folkmoot.bench.audience_load import AudienceFailed
    from folkmoot.bench.hls import HlsFailed, run_hls
    from folkmoot.bench.nginx import NginxFailed

    try:
        report = run_hls(few, listeners, seconds, typer.echo)
    except (AudienceFailed, HlsFailed, NginxFailed, ServerFailed) as error:
        raise _cannot(error) from error
    _finish(report, json_file)


def _finish(report: Report, json_file: Path | None) -> None:
    raise typer.Exit(finish(report, json_file))


def _cannot(error: Exception) -> typer.Exit:
    typer.echo(str(error), err=True)
    return typer.Exit(2)
