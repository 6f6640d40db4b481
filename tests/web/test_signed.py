"""A recording is signed while it is live, whatever dies meanwhile, and its page says how to check that."""

import asyncio
import shutil
import sys
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect
from tests.serve.moot import Moot
from tests.support.server import Server
from tests.support.waiting import PATIENCE_S, eventually
from tests.web.browser import DESKTOP_LIGHT, PHONE_DARK, context_of

from folkmoot.serve.places import places
from folkmoot.serve.signing import verifier_key_path
from folkmoot.settings import Settings
from folkmoot.tape import layout
from folkmoot.tape.model import Codec

pytestmark = pytest.mark.slow


async def verify(*words: str) -> tuple[int, str]:
    """Exit code and output of the command, as somebody types it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "folkmoot", "tape", "verify", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


async def test_a_recording_is_signed_while_it_is_live(
    server: Server, moot: Moot, browser: Browser, tmp_path: Path
) -> None:
    host = await moot.person("hana")
    space = await host.open_space("The record")
    await host.speak(space, 440)
    tape, address = server.data / "tapes" / space["id"], f"{server.base_url}/spaces/{space['id']}"
    checkpoints = layout.checkpoints_path(tape, Codec.AAC)
    await eventually(lambda: checkpoints.exists() and checkpoints.stat().st_size > 0)
    code, said = await verify(address)
    assert code == 0, said
    assert "not signed yet" in said

    # Who signs and who records both die; the tree goes on.
    server.child("worker").kill()
    server.child("stage-").kill()
    signed_bytes = checkpoints.stat().st_size
    await eventually(lambda: checkpoints.stat().st_size > signed_bytes)
    await host.tell(space, "end")
    async with asyncio.timeout(PATIENCE_S):
        while (await host.look(space))["replay"] is None:
            await asyncio.sleep(0.1)
    key = verifier_key_path(places(Settings(data=str(server.data)))).read_text().strip()
    for what in (address, str(tape)):
        code, said = await verify(what, "--key", key)
        assert code == 0, said
        assert "gap: The stage was away" in said

    await shows_how_to_check(browser, server, space["id"], key)

    copy = Path(shutil.copytree(tape, tmp_path / space["id"]))
    sound = layout.sound_path(copy, Codec.AAC)
    data = bytearray(sound.read_bytes())
    data[-5] ^= 1
    sound.write_bytes(data)
    code, said = await verify(str(copy))
    assert code == 1
    assert "altered: The sound is not what was signed." in said


async def shows_how_to_check(browser: Browser, server: Server, space_id: str, key: str) -> None:
    for look in (PHONE_DARK, DESKTOP_LIGHT):
        page = await (await context_of(browser, server.base_url, **look)).new_page()
        await page.goto(f"/spaces/{space_id}")
        await page.get_by_text("How to check it yourself").click()
        signed = page.get_by_test_id("signed")
        await expect(signed).to_contain_text(f"folkmoot tape verify {server.base_url}/spaces/{space_id}")
        await expect(signed).to_contain_text(key)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
