"""The table of docs/scale.md is what the script makes of the figures beside it."""

from pathlib import Path

from folkmoot.bench.scale import Tier, table, tiers

DOCS = Path(__file__).parents[2] / "docs"


def test_the_document_has_the_table_that_the_figures_make() -> None:
    made = table(tiers(DOCS / "figures"))
    assert made in (DOCS / "scale.md").read_text(), "python -m folkmoot.bench.scale docs/figures"


def test_a_million_is_that_cost_times_as_many() -> None:
    (row,) = table([Tier("a way", 10_000, 0.5, 100.0, 40.0, "20 ms")]).splitlines()[2:]
    assert row == "| a way | 10,000 | 0.50 | 20,000 | 10.2 KB each | 40 kbit/s | 20 ms | 65, 52 Gbit/s |"
