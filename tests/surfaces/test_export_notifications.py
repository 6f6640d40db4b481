"""What one was told is among one's own data."""

from pathlib import Path

import httpx
from tests.support.telling import tell
from tests.surfaces.conftest import Person

from folkmoot.storage.database import Database


async def test_notifications_are_ones_own_data(
    client: httpx.AsyncClient, database: Database, alice: Person, bob: Person, tmp_path: Path
) -> None:
    said = await client.post("/api/v1/statuses", json={"status": "@alice hear"}, headers=bob.headers)
    await tell(database, tmp_path)
    own = (await client.get("/api/folkmoot/v1/export", headers=alice.headers)).json()
    (told,) = own["notifications"]
    assert (told["kind"], told["account"], told["post"]) == ("mention", str(bob.id), said.json()["id"])
    assert own["notification_wishes"]["policy"]["for_private_mentions"] == "filter"
    assert own["notification_wishes"]["pushed_to"] == []
