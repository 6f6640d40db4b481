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
    """One way to be heard, as it was measured. Cores and memory are of everything that serves `listeners`."""

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
    plain, tls, hls = (_read(figures / f"{name}.json") for name in ("audience", "audience-tls", "hls"))
    listening, over_tls, players = _listeners(plain), _listeners(tls), _listeners(hls)
    kbit_s = _value(plain, "kbit_s_each")
    found = [
        Tier("worker sockets", listening, _value(plain, "server_cores"), _memory(plain), kbit_s, _delay(plain)),
        Tier("worker sockets, HTTPS", over_tls, _value(tls, "server_cores"), _memory(tls), kbit_s, _delay(tls)),
        Tier(
            "nginx in front, HTTPS",
            over_tls,
            _value(tls, "nginx_cores"),
            _memory(tls, "nginx"),
            kbit_s,
            _delay(tls, "nginx_"),
        ),
        Tier("HLS by parts, no cache", int(_value(hls, "direct_players")), _value(hls, "direct_cores"), 0, 0, ""),
    ]
    for by, wanted_per_s in _PER_PLAYER_PER_S.items():
        # Who could not keep up with everything there was is not counted whole.
        kept_up = min(1.0, _value(hls, f"{by}_per_player_per_s") / wanted_per_s)
        cores = _value(hls, f"{by}_nginx_cores") + _value(hls, f"{by}_server_cores")
        delay = f"+{_value(hls, f'{by}_spread_p99_ms'):.0f} ms"
        found.append(
            Tier(
                f"HLS by {by}, nginx as a cache",
                int(players * kept_up),
                cores,
                _value(hls, f"{by}_nginx_memory_mb"),
                _value(hls, f"{by}_kbit_s_each") / kept_up,
                delay,
            )
        )
    return found


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


def _memory(report: Report, whose: str = "server") -> float:
    """Of the processes and, for their sockets, of the kernel."""
    kernel = "kernel_memory_mb" if whose == "server" else f"{whose}_kernel_memory_mb"
    return _value(report, f"{whose}_memory_mb") + _value(report, kernel)


def _delay(report: Report, whose: str = "") -> str:
    return f"{_value(report, f'{whose}delivery_p99_ms'):.0f} ms"


if __name__ == "__main__":
    sys.stdout.write(table(tiers(Path(sys.argv[1]))))
