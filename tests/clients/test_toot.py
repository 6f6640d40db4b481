"""toot, a client for the terminal: it signs in by OAuth and lives a day."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image
from tests.clients.signing_in import let_in
from tests.support.server import Server
from tests.support.waiting import wait_until
from toot.cli import cli

pytestmark = pytest.mark.slow


class Toot:
    """One person's terminal."""

    def __init__(self, server: Server, name: str, home: Path) -> None:
        self._environment = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home), "BROWSER": "true"}
        self._server = server
        self._sign_in(name)

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "toot", "--no-color", *arguments]

    def _sign_in(self, name: str) -> None:
        command = self._command("login", "--instance", self._server.base_url)
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=self._environment, text=True
        ) as login:
            assert login.stdin is not None
            assert login.stdout is not None
            said, address = "", None
            while address is None:
                said += login.stdout.read(1)
                address = re.search(r"(http\S+/oauth/authorize\S+)\s", said)
            login.stdin.write("n\n")
            login.stdin.write(let_in(self._server.base_url, name, address[1]) + "\n")
            login.stdin.flush()
            said += login.stdout.read()
        assert login.returncode == 0, said

    def __call__(self, *arguments: str) -> str:
        """What it prints. Not in a process of its own, of which the start would take most of the time."""
        done = CliRunner(env=self._environment).invoke(cli, ["--no-color", *arguments])
        assert done.exit_code == 0, (arguments, done.output, done.exception)
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "--json"))


def test_a_day(server: Server, tmp_path: Path) -> None:
    (tmp_path / "ana").mkdir()
    (tmp_path / "ben").mkdir()
    ana, ben = Toot(server, "ana", tmp_path / "ana"), Toot(server, "ben", tmp_path / "ben")
    assert ana.json("whoami")["username"] == "ana"
    assert ben.json("instance")["configuration"]["statuses"]["max_characters"] >= 500
    ben("follow", "ana")
    assert [one["username"] for one in ben.json("following", "ben")] == ["ana"]
    ben("mute", "ana")
    ben("unmute", "ana")

    post = ana.json("post", "Good morning @ben #day", "--language", "en")
    reply = ben.json("post", "@ana And to you", "--reply-to", post["id"])
    assert ana.json("thread", post["id"])["descendants"][0]["id"] == reply["id"]
    for mark in ("reblog", "favourite", "bookmark"):
        ben(mark, post["id"])
    assert "Good morning" in ben("bookmarks", "--once")
    poll = ana.json(
        "post", "Tea?", "--poll-option", "yes", "--poll-option", "no", "--poll-expires-in", "10 minutes"
    )
    assert [one["title"] for one in poll["poll"]["options"]] == ["yes", "no"]
    assert ben.json("polls", "vote", poll["poll"]["id"], "0")["votes_count"] == 1
    picture = tmp_path / "red.png"
    Image.new("RGB", (64, 48), (200, 20, 20)).save(picture)
    shown = ana.json("post", "A picture", "--media", str(picture), "--description", "red")
    assert shown["media_attachments"][0]["description"] == "red"
    ana("delete", shown["id"])

    assert post["id"] in [one["id"] for one in ben.json("timelines", "home")]
    assert [one["id"] for one in ben.json("timelines", "tag", "day")] == [post["id"]]
    ben("lists", "create", "friends")
    ben("lists", "add", "friends", "ana")
    assert post["id"] in [one["id"] for one in ben.json("timelines", "list", "friends")]
    ben("tags", "follow", "day")
    assert [tag["name"] for tag in ben.json("tags", "followed")] == ["day"]
    assert [one["username"] for one in ben.json("search", "ana")["accounts"]] == ["ana"]
    # The worker makes them, as soon as it gets a processor.
    wait_until(lambda: len(ana.json("notifications")) == 4)
    told = ana.json("notifications")
    assert sorted(one["type"] for one in told) == ["favourite", "follow", "mention", "reblog"]
    ana("notifications", "--clear")
    assert ana.json("notifications") == []
    ana("logout", "ana@" + server.base_url.partition("://")[2])
