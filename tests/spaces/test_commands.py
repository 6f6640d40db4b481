"""The JSON that people send, and the form in which states and changes are kept."""

from typing import get_args

import msgspec
import pytest
from tests.spaces.rooms import HOST, co_host, live

from folkmoot.spaces import commands as c
from folkmoot.spaces.changes import AnyChange
from folkmoot.spaces.model import Space
from folkmoot.spaces.rules import RULES


def decode(body: str) -> c.Command:
    command: c.Command = msgspec.json.decode(body, type=c.Command)
    return command


TAGS = """
start end cancel panic ask unask invite uninvite accept decline let_up step_down mute let_speak unmute mute_all
remove let_back lock unlock make_co_host unmake_co_host hand_over pin unpin edit consent
"""


def test_tags_are_the_names_in_the_documents() -> None:
    assert {kind.__struct_config__.tag for kind in get_args(c.Command)} == set(TAGS.split())
    assert set(RULES) == set(get_args(c.Command)), "every command has its rule"


def test_decoding() -> None:
    assert decode('{"do": "let_up", "account": "12"}') == c.LetUp(account="12")
    assert c.LetUp(account="9223372036854775807").account_id == 2**63 - 1
    assert decode('{"do": "accept", "recording_consent": true}') == c.Accept(recording_consent=True)
    assert decode('{"do": "edit", "topics": ["a"]}') == c.Edit(topics=("a",))


@pytest.mark.parametrize(
    "body",
    [
        '{"do": "let_up", "account": 12}',
        '{"do": "let_up", "account": "012"}',
        '{"do": "let_up", "account": "0"}',
        '{"do": "let_up", "account": "-1"}',
        '{"do": "let_up", "account": "1\\n"}',
        '{"do": "let_up", "account": "\u0661"}',
        '{"do": "let_up", "account": "9223372036854775808"}',
        '{"do": "pin", "post": "9223372036854775808"}',
        '{"do": "let_up"}',
        '{"do": "invite", "account": "1", "role": "host"}',
        '{"do": "accept", "recording_conset": true}',
        '{"do": "consent"}',
        '{"do": "tick"}',
        '{"do": "seat_connected", "seat": 1}',
        "{}",
        "[]",
    ],
)
def test_anything_else_is_an_error(body: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(body)


def test_states_and_changes_survive_json() -> None:
    room = live()
    co_host(room, 2)
    changes = room.do(HOST, c.Remove(account="2"))
    assert msgspec.json.decode(msgspec.json.encode(room.space), type=Space) == room.space
    assert msgspec.json.decode(msgspec.json.encode(changes), type=tuple[AnyChange, ...]) == changes
