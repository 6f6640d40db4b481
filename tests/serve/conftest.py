"""One server for each module of tests; its people and their talk live in the module's event loop."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from tests.serve.moot import Moot, Talk
from tests.support.server import Server, running_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running_server(tmp_path_factory.mktemp("whole") / "data") as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def moot(server: Server) -> AsyncIterator[Moot]:
    made = Moot(server)
    yield made
    await made.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def talk(moot: Moot) -> Talk:
    """Hana and Rosa, who hear each other as long as the module's tests run."""
    return await Talk.begin(await moot.person("hana"), await moot.person("rosa"))
