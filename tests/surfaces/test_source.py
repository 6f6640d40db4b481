"""The server hands out its own source, and nothing else of the machine."""

import io
import tarfile

import httpx


async def test_the_source_is_whole_and_nothing_but_source(client: httpx.AsyncClient) -> None:
    answer = await client.get("/source.tar.gz")
    assert answer.status_code == 200
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        names = archive.getnames()
    assert "folkmoot/src/folkmoot/gate/gate.py" in names
    assert {"folkmoot/web/package.json", "folkmoot/deploy/systemd/folkmoot.service"} <= set(names)
    assert not [name for name in names if "node_modules" in name or "/data/" in name or ".venv" in name]
