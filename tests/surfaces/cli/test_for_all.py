"""`folkmoot admin emojis` and `announcements`."""

from pathlib import Path

import pytest
from tests.support.uploads import animation, photograph
from tests.surfaces.cli.test_admin import Terminal

from folkmoot.posts.emojis.book import EmojiBook
from folkmoot.posts.emojis.model import Emoji
from folkmoot.surfaces.cli.running import AdminServices


@pytest.fixture
def terminal(database_url: str, tmp_path: Path) -> Terminal:
    return Terminal(database_url, tmp_path / "doorbells")


def emojis(terminal: Terminal) -> list[Emoji]:
    async def read(services: AdminServices) -> list[Emoji]:
        book = EmojiBook()
        await book.read_anew(services.database)
        return list(book)

    return terminal.ask(read)


@pytest.mark.slow
def test_emojis_come_and_go(terminal: Terminal, tmp_path: Path) -> None:
    still, moving, large, none = (tmp_path / name for name in ("still.png", "moving.gif", "large.png", "none.png"))
    still.write_bytes(photograph(300, 200, "PNG"))
    moving.write_bytes(animation())
    large.write_bytes(bytes(256 * 1024 + 1))
    none.write_bytes(b"<svg onload='alert(1)'/>")
    assert ":owl: is there (image/png" in terminal.says("emojis", "add", ":owl:", str(still), "--category", "Birds")
    terminal.says("emojis", "add", "wren", str(moving), "--hidden")
    wren, owl = emojis(terminal)
    assert (owl.shortcode, owl.category, owl.static_key == owl.object_key) == ("owl", "Birds", True)
    assert (wren.visible_in_picker, wren.static_key == wren.object_key) == (False, False)
    listed = terminal.says("emojis", "list")
    assert "Birds" in listed
    assert "hidden" in listed
    assert "256 KiB" in terminal.refuses("emojis", "add", "big", str(large))
    refused = terminal.run("emojis", "add", "none", str(none))
    assert (refused.exit_code, refused.stderr) == (1, "File content type is invalid.\n")
    assert "2–64" in terminal.refuses("emojis", "add", "a b", str(still))
    assert terminal.run("emojis", "add", "gone", str(tmp_path / "gone.png")).exit_code == 2
    assert terminal.says("emojis", "remove", "wren") == ":wren: is removed."
    assert "no emoji" in terminal.refuses("emojis", "remove", "wren")
    assert [one.shortcode for one in emojis(terminal)] == ["owl"]


def test_announcements_come_and_go(terminal: Terminal) -> None:
    said = terminal.says("announcements", "publish", "We move\ntonight", "--ends", "2999-01-31T12:00Z")
    id_ = said.split()[1]
    listed = terminal.says("announcements", "list")
    assert id_ in listed
    assert "We move tonight" in listed
    assert "ended already" in terminal.refuses("announcements", "publish", "Over", "--ends", "1999-01-31T12:00Z")
    assert terminal.says("announcements", "withdraw", id_) == f"Announcement {id_} is withdrawn."
    assert "not found" in terminal.refuses("announcements", "withdraw", id_)
