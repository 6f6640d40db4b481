"""What Prometheus is given: promtool reads it, and it names no metric that there is not."""

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.support.people import People
from tests.surfaces.conftest import FakeListening

from folkmoot.gate import Role

DEPLOY = Path(__file__).parents[2] / "deploy" / "prometheus"
CALM = {
    "up": "1+0x60",
    "folkmoot_unwritable_tapes": "0+0x60",
    "folkmoot_tapes_free_bytes": "1000000000+0x60",
    'folkmoot_audience_tick_late_seconds_bucket{le="0.1"}': "0+100x60",
    'folkmoot_audience_tick_late_seconds_bucket{le="0.25"}': "0+100x60",
    'folkmoot_audience_tick_late_seconds_bucket{le="+Inf"}': "0+100x60",
    "folkmoot_listeners": "1000+0x60",
    "folkmoot_audience_room": "2000+0x60",
    'folkmoot_audience_left_total{reason="slow"}': "0+1x60",
    "folkmoot_live_spaces": "2+0x60",
    'folkmoot_processes{process="stage"}': "2+0x60",
    'folkmoot_http_answers_total{method="GET",route="/",status="503"}': "0+60x60",
    'folkmoot_jobs_oldest_seconds{kind="mail"}': "10+0x60",
}
"""An hour, a value each minute, as promtool writes it."""
WORST = {
    "up": "0+0x60",
    "folkmoot_unwritable_tapes": "1+0x60",
    "folkmoot_tapes_free_bytes": "1000000000-10000000x60",
    'folkmoot_audience_tick_late_seconds_bucket{le="0.1"}': "0+0x60",
    "folkmoot_audience_room": "1000+0x60",
    'folkmoot_audience_left_total{reason="slow"}': "0+100x60",
    'folkmoot_processes{process="stage"}': "1+0x60",
    'folkmoot_http_answers_total{method="GET",route="/",status="500"}': "0+60x60",
    'folkmoot_jobs_oldest_seconds{kind="mail"}': "1000+0x60",
}
NO_STAGE_AT_ALL = {'folkmoot_processes{process="stage"}': "_x60"}


@pytest.mark.slow
def test_promtool_reads_what_operators_are_given() -> None:
    done = subprocess.run(
        ["promtool", "check", "config", str(DEPLOY / "scrape.yml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "9 rules found" in done.stdout


def hour(series: Mapping[str, str], fire: list[str]) -> dict[str, object]:
    """What promtool is to find at its end, if each series has the labels that Prometheus gives what it asks for."""

    def scraped(name: str) -> str:
        metric, _, labels = name.rstrip("}").partition("{")
        return f'{metric}{{{labels}{"," if labels else ""}job="folkmoot",instance="127.0.0.1:9464"}}'

    return {
        "interval": "1m",
        "input_series": [{"series": scraped(name), "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": "1h",
                "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in fire],
            }
        ],
    }


@pytest.mark.slow
def test_each_alert_comes_when_it_is_time_and_not_before(tmp_path: Path) -> None:
    """With the labels of a real Prometheus: what is compared without them is never true, and nobody is called."""
    alerts = re.findall(r"- alert: (\w+)", (DEPLOY / "alerts.yml").read_text())
    hours = {
        "rule_files": [str(DEPLOY / "alerts.yml")],
        "evaluation_interval": "1m",
        "tests": [
            hour(CALM, []),
            hour(CALM | WORST, alerts),
            hour(CALM | NO_STAGE_AT_ALL, ["FolkmootStageMissing"]),
        ],
    }
    (tmp_path / "hours.yml").write_text(json.dumps(hours))
    done = subprocess.run(
        ["promtool", "test", "rules", str(tmp_path / "hours.yml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
async def test_promtool_finds_nothing_to_say_of_our_metrics(client: httpx.AsyncClient, people: People) -> None:
    token = await people.token(await people.create("mia", Role.MODERATOR))
    answer = await client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=answer.text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


async def test_alerts_and_docs_name_what_there_is(
    client: httpx.AsyncClient, people: People, listening: FakeListening
) -> None:
    listening.by_space = {1: 2}
    token = await people.token(await people.create("mia", Role.MODERATOR))
    text = (await client.get("/metrics", headers={"Authorization": f"Bearer {token}"})).text
    told = {family.name for family in text_string_to_metric_families(text)}
    alerts = re.findall(r"folkmoot_\w+", (DEPLOY / "alerts.yml").read_text())
    assert {re.sub(r"_(bucket|total)$", "", name) for name in alerts} <= told
    documented = (DEPLOY.parents[1] / "docs" / "watching.md").read_text()
    assert not {name for name in told if name not in documented}
