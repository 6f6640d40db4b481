"""Settings: where they come from, which wins, and that a wrong one says what to write instead."""

import os
from pathlib import Path

import pytest

from folkmoot.settings import Settings, SettingsError, audience_workers, load, udp_ports

UDP_PORTS_REFUSED = ("50000", "50000-50010", "50999-50000", "80-500", "65000-70000", "50000-50999,", "a-b")


def test_defaults_need_nothing() -> None:
    assert load({}).registrations == "open"


def test_the_command_line_wins_over_the_environment_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "folkmoot.toml"
    file.write_text('title = "File"\nport = 1\nhost = "::1"\n')
    found = load({"FOLKMOOT_TITLE": "Variable", "FOLKMOOT_PORT": "2"}, file, {"port": 3, "host": None})
    assert (found.title, found.port, found.host) == ("Variable", 3, "::1")


def test_a_list_in_a_variable_is_separated_by_commas() -> None:
    found = load({"FOLKMOOT_TRUSTED_PROXIES": "10.0.0.0/8, 127.0.0.1"})
    assert found.trusted_proxies == ["10.0.0.0/8", "127.0.0.1"]


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"FOLKMOOT_PROT": "1"}, "Did you mean port?"),
        ({"FOLKMOOT_PORT": "http"}, "The setting port can't be “http”"),
        ({"FOLKMOOT_PORT": "70000"}, "The setting port can't be “70000”"),
        ({"FOLKMOOT_BASE_URL": "moot.example"}, "such as https://moot.example"),
        ({"FOLKMOOT_BASE_URL": "https://moot.example/here"}, "such as https://moot.example"),
        ({"FOLKMOOT_DATABASE": "mysql://x"}, "postgresql+psycopg://"),
        ({"FOLKMOOT_REGISTRATIONS": "maybe"}, "The setting registrations can't be “maybe”"),
        ({"FOLKMOOT_TRUSTED_PROXIES": "proxy"}, "10.0.0.0/8"),
        ({"FOLKMOOT_SMTP_HOST": "smtp.example"}, "write the address that letters come from"),
        *(
            ({"FOLKMOOT_SMTP_HOST": "smtp.example", "FOLKMOOT_MAIL_FROM": sender}, "such as moot@example.org")
            for sender in ("moot", "a@b c@d", "Moot <moot>", "a@b\r\nBcc: c@d")
        ),
        (
            {
                "FOLKMOOT_SMTP_HOST": "smtp.example",
                "FOLKMOOT_MAIL_FROM": "moot@example.org",
                "FOLKMOOT_SMTP_USER": "moot",
                "FOLKMOOT_SMTP_SECURITY": "none",
            },
            "write starttls or tls",
        ),
        ({"FOLKMOOT_TLS_KEY": "/etc/key.pem"}, "set tls_certificate to the name of its file"),
        ({"FOLKMOOT_TLS_CERTIFICATE": "/etc/chain.pem"}, "set tls_key to the name of its file"),
        *(
            ({"FOLKMOOT_PUBLIC_ADDRESS": address}, "write an IP address")
            for address in ("moot.example", "0.0.0.0", "::", "fe80::1%eth0", "224.0.0.1", "203.0.113.5:5000")
        ),
        ({"FOLKMOOT_CONFIG": "/nowhere.toml"}, "can't be read"),
        *(
            ({"FOLKMOOT_BASE_URL": address}, "such as https://moot.example")
            for address in (
                "http://[x",
                "http://me:secret@moot.example",
                "https://moot.example#top",
                "https://moot.example?a=b",
                "https://moot.example/",
                "https://moot.example:port",
                "https://",
                "https://:80",
            )
        ),
        ({"FOLKMOOT_MEDIA": "bogus://"}, "such as s3://bucket/folder"),
        ({"FOLKMOOT_MEDIA": "s3://"}, "such as s3://bucket/folder"),
        ({"FOLKMOOT_ICE_SERVERS": "bogus"}, "such as stun:stun.example:3478"),
        ({"FOLKMOOT_ICE_SERVERS": "stun:stun.example:70000"}, "such as stun:stun.example:3478"),
        ({"FOLKMOOT_ICE_SERVERS": "stun:ok.example,stun:"}, "such as stun:stun.example:3478"),
        ({"FOLKMOOT_ICE_SERVERS": "turn:turn.example"}, "set turn_secret"),
        ({"FOLKMOOT_TURN_VALID_S": "5"}, "The setting turn_valid_s can't be “5”"),
        *(({"FOLKMOOT_UDP_PORTS": ports}, "such as 50000-50999") for ports in UDP_PORTS_REFUSED),
        ({"FOLKMOOT_LIVE_SPACES_MAX": "0"}, "The setting live_spaces_max can't be “0”"),
    ],
)
def test_a_wrong_one_says_what_to_write_instead(environment: dict[str, str], words: str) -> None:
    with pytest.raises(SettingsError, match=words.replace("?", r"\?").replace("+", r"\+")) as refused:
        load(environment)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "environment",
    [
        {"FOLKMOOT_BASE_URL": "https://moot.example:8443"},
        {"FOLKMOOT_BASE_URL": "http://[::1]:8000"},
        {"FOLKMOOT_BASE_URL": "http://Moot.example"},
        {"FOLKMOOT_MEDIA": "s3://bucket/folder"},
        {"FOLKMOOT_MEDIA": "/srv/media"},
        {
            "FOLKMOOT_ICE_SERVERS": "stun:stun.example:3478, turns:[2001:db8::1]:5349?transport=tcp",
            "FOLKMOOT_TURN_SECRET": "shared",
        },
        {"FOLKMOOT_PUBLIC_ADDRESS": "2001:db8::5"},
    ],
)
def test_a_right_one_is_taken(environment: dict[str, str]) -> None:
    load(environment)


def test_udp_ports() -> None:
    assert udp_ports(load({})) is None
    assert udp_ports(load({"FOLKMOOT_UDP_PORTS": "50000-50099"})) == range(50_000, 50_100)


def test_a_secret_is_not_shown_when_it_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "folkmoot.toml"
    file.write_text("turn_secret = [1234]")
    with pytest.raises(SettingsError, match="The setting turn_secret can't be what it is") as refused:
        load({}, file)
    assert "1234" not in str(refused.value)


def test_a_file_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "folkmoot.toml"
    file.write_text("title = ")
    with pytest.raises(SettingsError, match="not valid TOML"):
        load({}, file)


def test_as_many_audience_workers_as_cores_and_as_wanted_listeners_need_files() -> None:
    cores = len(os.sched_getaffinity(0))
    assert audience_workers(Settings()) == min(64, cores)
    assert audience_workers(Settings(listeners_max=19_000 * (cores + 1) + 1)) == min(64, cores + 2)
    assert audience_workers(Settings(listeners_max=19_000 * cores - 400, live_spaces_max=100)) == min(64, cores)
    assert audience_workers(Settings(listeners_max=19_000 * cores, live_spaces_max=1_000)) == min(64, cores + 1)
    assert audience_workers(Settings(listeners_max=10**8)) == 64
    assert audience_workers(Settings(audience_workers=3, listeners_max=10**8)) == 3
