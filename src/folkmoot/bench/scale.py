"""What a listener costs by each way there is, from the JSON files of the benches: the table of docs/scale.md.

python -m folkmoot.bench.scale docs/figures
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from folkmoot.bench.report import Report

MILLION = 1_300_000
_LISTENERS = re.compile(r"--listeners (\d+)")
_LISTENERS_DEFAULT = {"audience": 36_000, "hls": 10_000}
_PER_PLAYER_PER_S = {"segments": 0.24, "parts": 4.7}
"""A little less than there is: AAC's parts are up to 0.213 s long, and a segment may come just after the end."""


class Tier(msgspec.Struct, frozen=True):
    """One way to be heard, as it was measured. Cores and memory are of what grows with `listeners`."""

    name: str
    listeners: int
    cores: float
    memory_mb: float
    kbit_s_each: float
    delay: str

    @property
    def per_core(self) -> int:
        """Listeners that one busy core would carry at that cost."""
        return int(self.listeners / self.cores)


def tiers(figures: Path) -> list[Tier]:
    """What the files hold: `audience.json`, `audience-tls.json`, `hls.json`."""
    plain, hls = _read(figures / "audience.json"), _read(figures / "hls.json")
    kbit_s = _value(plain, "kbit_s_each")
    found = [_sockets("worker sockets", plain, kbit_s)]
    tls = _read(figures / "audience-tls.json")
    found.append(_sockets("worker sockets, HTTPS", tls, kbit_s))
    if any(result.name == "nginx_cores" for result in tls.results):  # it may not have carried as many
        found.append(_sockets("nginx in front, HTTPS", tls, kbit_s, "nginx"))
    direct = int(_value(hls, "direct_players"))
    found.append(Tier("HLS by parts, no cache", direct, _value(hls, "direct_cores"), 0, 0, ""))
    return [*found, *(_cached(by, hls) for by in _PER_PLAYER_PER_S)]


def _sockets(name: str, report: Report, kbit_s: float, whose: str = "server") -> Tier:
    """Connections that stay open, with what the kernel holds for them."""
    prefix = "" if whose == "server" else f"{whose}_"
    memory_mb = _value(report, f"{whose}_memory_mb") + _value(report, f"{prefix}kernel_memory_mb")
    delay = f"{_value(report, f'{prefix}delivery_p99_ms'):.0f} ms"
    return Tier(name, _listeners(report), _value(report, f"{whose}_cores"), memory_mb, kbit_s, delay)


def _cached(by: str, hls: Report) -> Tier:
    # Who could not keep up with everything there was is not counted whole.
    kept_up = min(1.0, _value(hls, f"{by}_per_player_per_s") / _PER_PLAYER_PER_S[by])
    return Tier(
        f"HLS by {by}, nginx as a cache",
        int(_listeners(hls) * kept_up),
        _value(hls, f"{by}_nginx_cores"),  # the server's are the same for one as for all
        _value(hls, f"{by}_nginx_memory_mb"),
        _value(hls, f"{by}_kbit_s_each") / kept_up,
        f"{_value(hls, f'{by}_spread_p99_ms'):.0f} ms",
    )


def table(measured: Sequence[Tier]) -> str:
    """As Markdown. What a machine of a million listeners would need is that cost times as many, nothing else."""
    lines = [
        "| tier | measured with | cores | listeners a core | memory | network each | later than the first, 99% "
        f"| {MILLION / 1e6:g} million: cores, network |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for tier in measured:
        cores = MILLION / tier.per_core
        network = f", {MILLION * tier.kbit_s_each / 1e6:.0f} Gbit/s" if tier.kbit_s_each else ""
        memory = f"{tier.memory_mb * 1024 / tier.listeners:.1f} KB each" if tier.memory_mb else "–"
        each = f"{tier.kbit_s_each:.0f} kbit/s" if tier.kbit_s_each else "–"
        lines.append(
            f"| {tier.name} | {tier.listeners:,} | {tier.cores:.2f} | {tier.per_core:,} | {memory} | {each} "
            f"| {tier.delay or '–'} | {cores:,.0f}{network} |"
        )
    return "\n".join(lines) + "\n"


def _read(file: Path) -> Report:
    return msgspec.json.decode(file.read_bytes(), type=Report)


def _value(report: Report, name: str) -> float:
    (found,) = [result.value for result in report.results if result.name == name]
    assert found is not None, f"{report.bench} has no {name}"
    return found


def _listeners(report: Report) -> int:
    typed = _LISTENERS.search(report.command)
    return int(typed[1]) if typed else _LISTENERS_DEFAULT[report.bench]


if __name__ == "__main__":
    sys.stdout.write(table(tiers(Path(sys.argv[1]))))
