"""Credentials for TURN servers: the scheme that coturn reads, good for a while, naming nobody."""

import base64
import hashlib
import hmac

from folkmoot.stage.ice_servers import IceServer, IceServers

SERVERS = IceServers(("stun:a.test", "turn:b.test:3478", "turns:b.test:5349?transport=tcp"), "the secret", 600)


def test_only_turn_servers_get_credentials() -> None:
    stun, turn, turns = SERVERS.for_use("account:1", 1_000.9)
    assert stun == IceServer("stun:a.test")
    assert (turn.url, turns.url) == SERVERS.urls[1:]
    assert turn.username == turns.username
    assert turn.credential == turns.credential


def test_the_name_says_until_when_and_the_password_is_its_hmac() -> None:
    turn = SERVERS.for_use("account:1", 1_000.9)[1]
    assert turn.username is not None
    assert turn.username.partition(":")[0] == "1600"
    digest = hmac.new(b"the secret", turn.username.encode(), hashlib.sha1).digest()
    assert turn.credential == base64.b64encode(digest).decode()


def test_a_turn_server_can_tell_people_apart_and_not_who_they_are() -> None:
    names = [SERVERS.for_use(f"account:{number}", 0)[1].username for number in (17, 17, 18)]
    assert names[0] == names[1] != names[2]
    assert IceServers(SERVERS.urls, "another").for_use("account:17", 0)[1].username != names[0]


def test_the_secret_is_not_shown() -> None:
    assert "the secret" not in repr(SERVERS)


def test_a_secret_may_be_long() -> None:
    assert IceServers(SERVERS.urls, "x" * 500).for_use("account:1", 0)[1].credential
