"""What Prometheus is given: promtool reads it, and it names no metric that there is not."""

import re
import subprocess
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.support.people import People
from tests.surfaces.conftest import FakeListening

from folkmoot.gate import Role

DEPLOY = Path(__file__).parents[2] / "deploy" / "prometheus"


@pytest.mark.slow
def test_promtool_reads_what_operators_are_given() -> None:
    done = subprocess.run(
        ["promtool", "check", "config", str(DEPLOY / "scrape.yml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "9 rules found" in done.stdout


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
